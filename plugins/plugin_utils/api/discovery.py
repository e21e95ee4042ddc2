# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server serves: its version, and the REST path of each kind. Asked once a run, never cached on disk."""

import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from ..objects.errors import ApiError, ApplyError, ConnectionFailed
from ..objects.identity import Identity
from .connection import Connection

# All groups in two answers; servers before 1.27 send the plain list of groups instead.
# https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
# What nobody can delete is a view of other objects, whose labels it copies, such as the PodMetrics of a pod.
STORED_VERBS = {"list", "delete"}
# Server-side apply is stable from here on. It also catches `minimum_kubernetes: 1.30` without quotes, which YAML
# reads as the number 1.3.
OLDEST_USABLE = (1, 22)


@dataclass(frozen=True)
class Resource:
    """Where a kind lives: `deployments` below its group and version, in a namespace or not.

    ``listed``: whether its objects can be listed, and are no views of others.
    """

    plural: str
    namespaced: bool
    listed: bool = True


class Discovery:
    """The kinds that one API server serves.

    :param version: as the server states it, `v1.36.3`.
    :param resources: by apiVersion and kind.
    :param silent: the API versions of aggregated servers that do not answer the API server. It may not know what kinds
        they have.
    """

    def __init__(
        self,
        host: str,
        version: str,
        resources: Mapping[tuple[str, str], Resource],
        silent: Collection[str] = (),
    ) -> None:
        self.host = host
        self.version = version
        self.silent = sorted(silent)
        self._resources = dict(resources)

    @classmethod
    def ask(cls, connection: Connection, executor: Executor, api_versions: Iterable[str]) -> Self:
        """Ask the server of *connection*.

        :param api_versions: what the caller is going to need; only a server without aggregated discovery is asked
            for them one by one.
        """
        version = executor.submit(connection.get, "/version")
        answers = [executor.submit(connection.get, path, None, AGGREGATED) for path in ("/api", "/apis")]
        resources: dict[tuple[str, str], Resource] = {}
        silent: list[str] = []
        for answer in answers:
            body = answer.result().body
            if body.get("kind") == "APIGroupDiscoveryList":
                resources.update(_from_aggregated(body))
                silent += _silent(body)
            else:
                prefix = "api" if body.get("kind") == "APIVersions" else "apis"
                needed = sorted({name for name in api_versions if ("/" in name) == (prefix == "apis")})
                for found in executor.map(lambda name, at=prefix: _from_list(connection, at, name), needed):
                    resources.update(found)
        stated = version.result().body.get("gitVersion")
        if not isinstance(stated, str):
            raise ConnectionFailed(
                f"{connection.host} is no API server of Kubernetes: it states no version. Correct the address (server "
                "in the kubeconfig, option host)."
            )
        return cls(connection.host, stated, resources, silent)

    def require_version(self, minimum: str | None) -> None:
        """Check the server against *minimum*, for example `1.30`.

        :raises ApplyError: when the server is older, or *minimum* is no version.
        """
        if minimum is None:
            return
        match = re.fullmatch(r"v?(\d+)\.(\d+)(?:\.\d+)?", str(minimum))
        wanted = (int(match[1]), int(match[2])) if match else (0, 0)
        if wanted < OLDEST_USABLE:
            raise ApplyError(
                f"minimum_kubernetes is {minimum!s}: it must be a version from 1.22 on, in quotes ('1.30'): YAML reads "
                "an unquoted 1.30 as the number 1.3."
            )
        if self._version_number() < wanted:
            raise ApplyError(
                f"The API server {self.host} runs Kubernetes {self.version}; at least {minimum} is needed "
                "(minimum_kubernetes). Nothing was changed. Upgrade the cluster, or deploy to another one."
            )

    def require_kinds(self, identities: Iterable[Identity]) -> None:
        """Check that every object is of a kind that the server serves, and stands where its kind may stand.

        :raises ApplyError: naming all that are not.
        """
        faults = [fault for fault in map(self._fault, identities) if fault]
        if faults:
            raise ApplyError("\n".join([*faults, "Nothing was changed."]))

    def serves(self, identity: Identity) -> bool:
        """Tell whether the server serves the kind of the object."""
        return (identity.api_version, identity.kind) in self._resources

    def path(self, identity: Identity) -> str:
        """Return the REST path of the object.

        :raises KeyError: when the kind is not served; see require_kinds().
        """
        collection = self.collection(identity.api_version, identity.kind, identity.namespace)
        return f"{collection}/{quote(identity.name, safe='')}"

    def collection(self, api_version: str, kind: str, namespace: str) -> str:
        """Return the REST path of all objects of a kind, those in *namespace* where the kind lives in one.

        :raises KeyError: when the kind is not served.
        """
        resource = self._resources[api_version, kind]
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        scope = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced else ""
        return f"{root}{scope}/{resource.plural}"

    def plural(self, identity: Identity) -> str:
        """Return the name of the object's kind in paths and in rules of RBAC, `deployments`.

        :raises KeyError: when the kind is not served; see require_kinds().
        """
        return self._resources[identity.api_version, identity.kind].plural

    def kinds(self) -> dict[tuple[str, str], tuple[str, Resource]]:
        """Return the kinds that are listed, by group and kind: the version that the server prefers, and where."""
        found: dict[tuple[str, str], tuple[str, Resource]] = {}
        for (api_version, kind), resource in self._resources.items():
            if resource.listed:
                found.setdefault((api_version.rpartition("/")[0], kind), (api_version, resource))
        return found

    def _fault(self, identity: Identity) -> str | None:
        resource = self._resources.get((identity.api_version, identity.kind))
        if identity.api_version in self.silent:
            return (
                f"{identity}: the server behind the API {identity.api_version} does not answer the API server "
                f"{self.host}, so the object can be neither read nor written. Look at the APIService of this API "
                "(kubectl get apiservices), and run again when it is available."
            )
        if resource is None:
            others = sorted(
                api_version
                for api_version, kind in self._resources
                if kind == identity.kind and api_version.rpartition("/")[0] == identity.group
            )
            instead = f"it serves this kind as {', '.join(others)}" if others else "it does not know this kind"
            return (
                f"{identity}: the API server {self.host} (Kubernetes {self.version}) does not serve {identity.kind} of "
                f"{identity.api_version}; {instead}. Upgrade the cluster, install the CustomResourceDefinition, "
                "or switch off the feature that needs it."
            )
        if resource.namespaced and not identity.namespace:
            return f"{identity}: metadata.namespace is missing, and {identity.kind} lives in a namespace."
        if not resource.namespaced and identity.namespace:
            return f"{identity}: metadata.namespace is set, but {identity.kind} belongs to no namespace. Remove it."
        return None

    def _version_number(self) -> tuple[int, int]:
        match = re.match(r"v?(\d+)\.(\d+)", self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)


def _from_aggregated(body: Mapping[str, Any]) -> dict[tuple[str, str], Resource]:
    found: dict[tuple[str, str], Resource] = {}
    for group in body.get("items") or []:
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or []:
            for resource in version.get("resources") or []:
                kind = (resource.get("responseKind") or {}).get("kind") or ""
                found[_api_version(name, version), kind] = Resource(
                    resource["resource"],
                    resource.get("scope") == "Namespaced",
                    set(resource.get("verbs") or []) >= STORED_VERBS,
                )
    return found


def _silent(body: Mapping[str, Any]) -> list[str]:
    return [
        _api_version((group.get("metadata") or {}).get("name") or "", version)
        for group in body.get("items") or []
        for version in group.get("versions") or []
        if version.get("freshness") == "Stale"
    ]


def _api_version(group: str, version: Mapping[str, Any]) -> str:
    return f"{group}/{version['version']}" if group else str(version["version"])


def _from_list(connection: Connection, prefix: str, api_version: str) -> dict[tuple[str, str], Resource]:
    try:
        body = connection.get(f"/{prefix}/{api_version}").body
    except ApiError as error:
        if error.status == 404:
            return {}
        raise
    return {
        (api_version, entry["kind"]): Resource(
            entry["name"], bool(entry["namespaced"]), set(entry.get("verbs") or []) >= STORED_VERBS
        )
        for entry in body.get("resources") or []
        if "/" not in entry["name"]
    }
