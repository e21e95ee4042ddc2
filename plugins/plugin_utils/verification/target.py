# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation that is asked: what was meant to run, and what does. Each thing is read once, when it is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..api.connection import Connection
from ..api.pod_stream import ContainerOf
from ..objects.planned_object import is_going
from ..pods.names import CONTAINERS, DISPATCHER, REDIS
from ..pods.pod import container_of, is_ready
from ..pods.spawned_jobs import SELECTOR, read_spawned_jobs

REDIS_PORT = 6379
HTTP_PORT = "http"  # name of the port that the Dispatcher's Service leads to


@dataclass(frozen=True)
class Names:
    """The names of the objects of one target. Only its checks need more than the namespace."""

    namespace: str
    secret: str = ""
    config_map: str = ""
    service_account: str = ""


class Target:
    """One namespace of one cluster. Every property raises ApplyError where the cluster does not let us read it."""

    def __init__(self, connection: Connection, names: Names, objects: Sequence[Mapping[str, Any]]) -> None:
        self.connection = connection
        self.names = names
        self._objects = {(body["kind"], body["metadata"]["name"]): body for body in objects}
        self.has_release = bool(objects)

    def intended(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return an object of the release, None where it has none of that name."""
        return self._objects.get((kind, name))

    @property
    def intended_objects(self) -> list[Mapping[str, Any]]:
        """All objects of the release."""
        return list(self._objects.values())

    @property
    def intended_names(self) -> list[tuple[str, str]]:
        """The kinds and names of all objects of the release."""
        return list(self._objects)

    def intended_of(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the objects of a kind in the release."""
        return [body for (found, _name), body in self._objects.items() if found == kind]

    @cached_property
    def dispatcher(self) -> Mapping[str, Any] | None:
        """The live Deployment of the Dispatcher."""
        return self.deployment(DISPATCHER)

    @cached_property
    def redis(self) -> Mapping[str, Any] | None:
        """The live Deployment of Redis."""
        return self.deployment(REDIS)

    @cached_property
    def secret(self) -> Mapping[str, Any] | None:
        """The live Secret."""
        return self.read_secret(self.names.secret)

    @cached_property
    def config_map(self) -> Mapping[str, Any] | None:
        """The live ConfigMap."""
        return self._find("api/v1", "configmaps", self.names.config_map)

    @cached_property
    def namespace(self) -> Mapping[str, Any] | None:
        """The live Namespace."""
        return self.connection.find(f"/api/v1/namespaces/{self.names.namespace}")

    def read_secret(self, name: str) -> Mapping[str, Any] | None:
        """Read a Secret."""
        return self._find("api/v1", "secrets", name)

    def deployment(self, name: str) -> Mapping[str, Any] | None:
        """Read a Deployment."""
        return self._find("apis/apps/v1", "deployments", name)

    def network_policy(self, name: str) -> Mapping[str, Any] | None:
        """Read a NetworkPolicy."""
        return self._find("apis/networking.k8s.io/v1", "networkpolicies", name)

    def read_jobs(self) -> list[dict[str, Any]]:
        """Read the Jobs of the Dispatcher as they are now."""
        return read_spawned_jobs(self.connection, self.names.namespace)

    def read_job_pods(self) -> list[Mapping[str, Any]]:
        """Read the pods of these Jobs as they are now."""
        return self._list("api/v1", "pods", SELECTOR)

    def pods_of(self, deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the pods of a Deployment, those that are going away left out."""
        labels = deployment["spec"]["selector"]["matchLabels"]
        pods = self._list("api/v1", "pods", ",".join(f"{name}={value}" for name, value in sorted(labels.items())))
        return [pod for pod in pods if not is_going(pod)]

    def ready_pods(self, deployment: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
        """Return the pods of a Deployment that get requests."""
        return [pod for pod in self.pods_of(deployment) if is_ready(pod)] if deployment else []

    def ready_containers(self, deployment: Mapping[str, Any] | None) -> list[ContainerOf]:
        """Return the main container of every ready pod of a Deployment."""
        name = CONTAINERS.get(deployment["metadata"]["name"], "") if deployment else ""
        return [self.container(pod, name) for pod in self.ready_pods(deployment)]

    def container(self, pod: Mapping[str, Any], name: str) -> ContainerOf:
        """Return a container of a pod."""
        return ContainerOf(self.names.namespace, pod["metadata"]["name"], container_of(pod, name)["name"])

    def _find(self, api: str, resource: str, name: str) -> Mapping[str, Any] | None:
        return self.connection.find(f"/{api}/namespaces/{self.names.namespace}/{resource}/{name}")

    def _list(self, api: str, resource: str, selector: str) -> list[Mapping[str, Any]]:
        path = f"/{api}/namespaces/{self.names.namespace}/{resource}"
        return self.connection.get(path, {"labelSelector": selector}).body.get("items") or []


def main_container(deployment: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the container of the Deployment *name* that does its work, not one that something else added."""
    return container_of(deployment["spec"]["template"], CONTAINERS[name])


def dispatcher_port(pod: Mapping[str, Any]) -> int:
    """Return the port that a pod of the Dispatcher listens on: its own, as the Deployment may have got another since.

    The app's images listen on 8080 where nothing is said.
    """
    ports = container_of(pod, CONTAINERS[DISPATCHER]).get("ports") or [{}]
    port = next((entry for entry in ports if entry.get("name") == HTTP_PORT), ports[0])
    return int(port.get("containerPort", 8080))
