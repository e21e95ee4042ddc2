# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind of object means to a release: one table, read by all who treat kinds differently.

A kind that has no row is written with the workloads, runs no pods, and is pruned when a release once had one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .managed_fields import Path, value_at


class WriteOrder(IntEnum):
    """The waves of a run, in the order in which they are written. Deletion goes the opposite way."""

    # They need no namespace, and a namespace may be about to enforce what only objects that they complete can pass.
    ADMISSION = 0
    NAMESPACE = 1
    # What decides about pods must stand before the first pod asks.
    GUARDS = 2
    # The API server looks a Role up when it is bound, to see whether the one who binds it holds what it grants.
    DATA = 3
    WORKLOADS = 4
    # Last, so that nothing is sent to a Service that does not exist yet.
    ROUTES = 5
    # A running Dispatcher reads a changed ConfigMap at once, before the rest of the release has arrived.
    CONFIGURATION = 6


@dataclass(frozen=True)
class Kind:
    """A row of the table.

    :param write_order: the wave in which an object is written.
    :param update_order: the wave of one that exists already, where it is another one.
    :param is_rendered: whether a role of this collection can render it. Prune looks for these in every release; for
        other kinds where the release has, or had, one. A teardown must be able to list them.
    :param is_pruned: whether an object goes when the release no longer wants it.
    :param is_listed: whether objects are found by their labels.
    :param pod_template: the path to what its pods are made from; () where the object is the pod. None: it has no pods.
        A teardown deletes what has pods first, and their guards when the last pod is gone.
    :param pod_count: the path to how many pods run at the same time, where the object says so. A quota counts one where
        it does not.
    :param surges: whether it makes new pods before the old ones are gone, unless its strategy is Recreate.
    :param rolls: whether it replaces its pods when their template changes, unless its update strategy is OnDelete.
    :param stamps_secrets: whether its template gets the digest of the Secret keys that its pods read.
    :param is_awaited: whether a deploy waits for it, as pods/progress.py judges the kind.
    :param is_served: whether a controller of another tool serves it. A deploy waits until it does, as conditions/
        judges the kind.
    :param is_replaced: whether it is deleted and made again if the server refuses to change it.
    """

    group: str
    name: str
    write_order: WriteOrder = WriteOrder.WORKLOADS
    update_order: WriteOrder | None = None
    is_rendered: bool = False
    is_pruned: bool = True
    is_listed: bool = True
    pod_template: Path | None = None
    pod_count: Path | None = None
    surges: bool = False
    rolls: bool = False
    stamps_secrets: bool = False
    is_awaited: bool = False
    is_served: bool = False
    is_replaced: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Group and name, which tell kinds apart."""
        return self.group, self.name

    @property
    def has_pods(self) -> bool:
        """Tell whether it runs pods, or is one."""
        return self.pod_template is not None


TEMPLATE: Path = ("spec", "template")
REPLICAS: Path = ("spec", "replicas")
JOB_OF_CRON_JOB: Path = ("spec", "jobTemplate")
ADMISSION, RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
GATEWAY_API = "gateway.networking.k8s.io"
CERTIFICATE = ("cert-manager.io", "Certificate")
# On the Secret that cert-manager fills for a Certificate, and on its CertificateRequests: the name of the Certificate
CERTIFICATE_ANNOTATION = "cert-manager.io/certificate-name"

_ROWS = [
    # Kinds that run pods: https://kubernetes.io/docs/concepts/workloads/
    Kind(
        "apps",
        "Deployment",
        is_rendered=True,
        pod_template=TEMPLATE,
        pod_count=REPLICAS,
        surges=True,
        rolls=True,
        stamps_secrets=True,
        is_awaited=True,
    ),
    Kind(
        "apps",
        "StatefulSet",
        pod_template=TEMPLATE,
        pod_count=REPLICAS,
        rolls=True,
        stamps_secrets=True,
        is_awaited=True,
    ),
    # How many nodes it gets a pod on, only the cluster knows.
    Kind("apps", "DaemonSet", pod_template=TEMPLATE, rolls=True, stamps_secrets=True, is_awaited=True),
    # A changed template is for the pods that it makes from then on.
    Kind("apps", "ReplicaSet", pod_template=TEMPLATE, pod_count=REPLICAS, is_awaited=True),
    # Its template never changes. It is not pruned, as it runs to its end whatever becomes of the release: the app makes
    # such Jobs, and removes them.
    Kind(
        "batch",
        "Job",
        is_pruned=False,
        pod_template=TEMPLATE,
        pod_count=("spec", "parallelism"),
        is_awaited=True,
        is_replaced=True,
    ),
    # Its next Job may be hours away, so nothing waits for it, and it replaces no pod. One Job at a time is counted.
    Kind(
        "batch",
        "CronJob",
        is_rendered=True,
        pod_template=(*JOB_OF_CRON_JOB, *TEMPLATE),
        pod_count=(*JOB_OF_CRON_JOB, "spec", "parallelism"),
        stamps_secrets=True,
    ),
    # Of a pod only the image may change, and little else.
    Kind("", "Pod", pod_template=(), is_awaited=True, is_replaced=True),
    # Looked up by its name: another release may bear the same instance in another namespace.
    Kind("", "Namespace", WriteOrder.NAMESPACE, is_pruned=False, is_listed=False),
    # A controller copies the labels of a Service to these, without naming the Service as their owner.
    Kind("", "Endpoints", is_listed=False),
    Kind("discovery.k8s.io", "EndpointSlice", is_listed=False),
    Kind(ADMISSION, "MutatingAdmissionPolicy", WriteOrder.ADMISSION, is_rendered=True),
    Kind(ADMISSION, "MutatingAdmissionPolicyBinding", WriteOrder.ADMISSION, is_rendered=True),
    Kind(ADMISSION, "ValidatingAdmissionPolicy", WriteOrder.ADMISSION, is_rendered=True),
    Kind(ADMISSION, "ValidatingAdmissionPolicyBinding", WriteOrder.ADMISSION, is_rendered=True),
    Kind("", "LimitRange", WriteOrder.GUARDS, is_rendered=True),
    Kind("", "ResourceQuota", WriteOrder.GUARDS, is_rendered=True),
    Kind("", "ServiceAccount", WriteOrder.GUARDS, is_rendered=True),
    Kind("apiextensions.k8s.io", "CustomResourceDefinition", WriteOrder.GUARDS),
    Kind("networking.k8s.io", "NetworkPolicy", WriteOrder.GUARDS, is_rendered=True),
    Kind("scheduling.k8s.io", "PriorityClass", WriteOrder.GUARDS),
    Kind(RBAC, "ClusterRole", WriteOrder.GUARDS),
    Kind(RBAC, "Role", WriteOrder.GUARDS, is_rendered=True),
    Kind(RBAC, "ClusterRoleBinding", WriteOrder.DATA),
    Kind(RBAC, "RoleBinding", WriteOrder.DATA, is_rendered=True),
    # One that does not exist yet goes before the workloads: nobody reads it, and a pod that starts without it loses
    # seconds, because the kubelet repeats a failed mount with growing pauses.
    Kind("", "ConfigMap", WriteOrder.DATA, WriteOrder.CONFIGURATION, is_rendered=True),
    Kind("", "Secret", WriteOrder.DATA, is_rendered=True),
    Kind("", "Service", is_rendered=True),
    Kind("autoscaling", "HorizontalPodAutoscaler", is_rendered=True),
    Kind(*CERTIFICATE, is_rendered=True, is_served=True),
    Kind("policy", "PodDisruptionBudget", is_rendered=True),
    Kind(GATEWAY_API, "Gateway", WriteOrder.ROUTES, is_rendered=True, is_served=True),
    Kind(GATEWAY_API, "GRPCRoute", WriteOrder.ROUTES, is_served=True),
    Kind(GATEWAY_API, "HTTPRoute", WriteOrder.ROUTES, is_rendered=True, is_served=True),
    Kind(GATEWAY_API, "TCPRoute", WriteOrder.ROUTES, is_served=True),
    Kind(GATEWAY_API, "TLSRoute", WriteOrder.ROUTES, is_served=True),
    Kind(GATEWAY_API, "UDPRoute", WriteOrder.ROUTES, is_served=True),
    Kind("networking.k8s.io", "Ingress", WriteOrder.ROUTES, is_rendered=True, is_served=True),
]
KINDS = {kind.key: kind for kind in _ROWS}
RENDERED_KINDS = frozenset(kind.key for kind in _ROWS if kind.is_rendered)


def kind_of(group: str, name: str) -> Kind:
    """Return the row of a kind."""
    return KINDS.get((group, name)) or Kind(group, name)


def kind_of_body(body: Mapping[str, Any]) -> Kind:
    """Return the row of an object's kind."""
    return kind_of(body["apiVersion"].rpartition("/")[0], body["kind"])


def stamps_secrets(body: Mapping[str, Any]) -> bool:
    """Tell whether the pod template of an object gets the digest of what it reads of Secrets.

    One that replaces its pods only when somebody deletes them would not roll for it.
    """
    return kind_of_body(body).stamps_secrets and not is_rolled_by_hand(body)


def is_rolled_by_hand(body: Mapping[str, Any]) -> bool:
    """Tell whether a StatefulSet or DaemonSet replaces a pod only when somebody deletes it."""
    return bool(value_at(body, ("spec", "updateStrategy", "type")) == "OnDelete")


def pod_template(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pods of an object are made from, itself of a Pod. Empty: it runs none, or is malformed."""
    path = kind_of_body(body).pod_template
    template = None if path is None else value_at(body, path)
    return template if isinstance(template, dict) else {}
