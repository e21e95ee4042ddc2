# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects like those of a release, for tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.manifest import labelled

LABELS = {"app.kubernetes.io/managed-by": "agentsmith.platform", "app.kubernetes.io/instance": "agentsmith"}
RBAC = "rbac.authorization.k8s.io"


def an_object(api_version: str, kind: str, namespace: str, name: str, **content: Any) -> dict[str, Any]:
    """Return an object with the labels of the installation."""
    metadata = {"name": name, "labels": dict(LABELS), **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def a_config_map(namespace: str, **data: str) -> dict[str, Any]:
    """Return a ConfigMap."""
    return an_object("v1", "ConfigMap", namespace, "agentsmith-config", data=data)


def a_secret(namespace: str, **data: str) -> dict[str, Any]:
    """Return a Secret with plain values."""
    return an_object("v1", "Secret", namespace, "agentsmith-secrets", type="Opaque", stringData=data)


def secret_key(key: str, **more: Any) -> dict[str, Any]:
    """Return the source of a variable that has the value of a key of the Secret of a_secret()."""
    return {"secretKeyRef": {"name": "agentsmith-secrets", "key": key, **more}}


def a_deployment(namespace: str, name: str = "redis", *keys: str) -> dict[str, Any]:
    """Return a Deployment with everything that is hard to compare: defaults, quantities, keyed and whole lists.

    :param keys: the keys that it needs of the Secret of a_secret().
    """
    labels = {"app": name}
    container = {
        "name": name,
        "image": "redis",
        "args": ["--save", ""],
        "ports": [{"containerPort": 6379}, {"containerPort": 9121, "name": "metrics"}],
        "env": [
            {"name": "EMPTY", "value": ""},
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            *({"name": f"KEY_{at}", "valueFrom": secret_key(key)} for at, key in enumerate(keys)),
        ],
        "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 5},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "token", "mountPath": "/token"}],
    }
    token = {"serviceAccountToken": {"path": "token"}}
    name_of_namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsUser": 10001, "runAsNonRoot": True},
        "containers": [container],
        "volumes": [
            {"name": "data", "emptyDir": {"sizeLimit": "1024Mi"}},
            {"name": "token", "projected": {"sources": [token, {"downwardAPI": {"items": [name_of_namespace]}}]}},
        ],
    }
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": {**LABELS, **labels}}, "spec": pod},
    }
    return an_object("apps/v1", "Deployment", namespace, name, spec=spec)


def a_job(namespace: str, name: str = "migrate") -> dict[str, Any]:
    """Return a Job."""
    pod = {"restartPolicy": "Never", "containers": [{"name": name, "image": "migrate"}]}
    return an_object("batch/v1", "Job", namespace, name, spec={"template": {"spec": pod}})


def a_release(namespace: str) -> list[dict[str, Any]]:
    """Return ten objects of the kinds that a release has, the namespace first."""
    rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]}]
    subject = {"kind": "ServiceAccount", "name": "agentsmith", "namespace": namespace}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "agentsmith"}
    port = {"port": 6379, "targetPort": 6379}
    incoming = [{"from": [{"podSelector": {}}], "ports": [{"port": 6379}]}]
    return [
        an_object("v1", "Namespace", "", namespace),
        an_object("v1", "ServiceAccount", namespace, "agentsmith", automountServiceAccountToken=False),
        an_object(f"{RBAC}/v1", "Role", namespace, "agentsmith", rules=rules),
        an_object(f"{RBAC}/v1", "RoleBinding", namespace, "agentsmith", roleRef=role, subjects=[subject]),
        a_secret(namespace, **{"redis-url": "redis:6379,abortConnect=false", "github-token": "ghp_0123456789"}),
        a_config_map(namespace, **{"agentsmith.yml": "projects: {}\n"}),
        an_object("v1", "Service", namespace, "redis", spec={"selector": {"app": "redis"}, "ports": [port]}),
        a_deployment(namespace),
        a_deployment(namespace, "agentsmith-dispatcher", "redis-url", "github-token"),
        an_object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            namespace,
            "redis",
            spec={"podSelector": {"matchLabels": {"app": "redis"}}, "policyTypes": ["Ingress"], "ingress": incoming},
        ),
    ]


def workloads(namespace: str, *keys: str) -> list[dict[str, Any]]:
    """Return one of each kind that runs pods, labelled as the role `extra` labels it. Their names are their kinds.

    :param keys: the keys that each needs of the Secret of a_secret().
    """

    def a_workload(kind: str, api_version: str, **spec: Any) -> dict[str, Any]:
        metadata = {"name": kind.lower(), "namespace": namespace}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
        return labelled(body, "agentsmith", "extra", namespace)

    def a_pod(name: str, **more: Any) -> dict[str, Any]:
        variables = [{"name": f"KEY_{at}", "valueFrom": secret_key(key)} for at, key in enumerate(keys)]
        stated = {"env": variables} if variables else {}
        return {"containers": [{"name": name, "image": "extra", **stated}], **more}

    def a_template(app: str, **more: Any) -> dict[str, Any]:
        return {"metadata": {"labels": {"app": app}}, "spec": a_pod(app, **more)}

    def selected(app: str) -> dict[str, Any]:
        return {"selector": {"matchLabels": {"app": app}}, "template": a_template(app)}

    ends = {"template": a_template("ends", restartPolicy="Never"), "backoffLimit": 0}
    return [
        a_workload("Deployment", "apps/v1", replicas=2, **selected("deployment")),
        a_workload("StatefulSet", "apps/v1", replicas=2, serviceName="none", **selected("statefulset")),
        a_workload("DaemonSet", "apps/v1", **selected("daemonset")),
        a_workload("ReplicaSet", "apps/v1", replicas=1, **selected("replicaset")),
        a_workload("Job", "batch/v1", **ends),
        # Not due while a test runs
        a_workload("CronJob", "batch/v1", schedule="0 0 29 2 *", jobTemplate={"spec": ends}),
        a_workload("Pod", "v1", **a_pod("pod")),
    ]
