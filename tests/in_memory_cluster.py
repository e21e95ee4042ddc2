# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the connection that keeps objects in memory, for tests of whole runs without an API server.

It stores what server-side apply states, with a record of the fields, and does what else the engine relies on: versions,
preconditions, label selectors. It has no defaults and no garbage collection: the tests in
tests/integration have those of a real API server.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import APPLY_PATCH, Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError

# By API version: the plural and the kind of what is served, all of it in namespaces but for namespaces themselves.
SERVED = {
    "v1": {
        "namespaces": "Namespace",
        "configmaps": "ConfigMap",
        "secrets": "Secret",
        "pods": "Pod",
        "events": "Event",
    },
    "apps/v1": {"deployments": "Deployment", "replicasets": "ReplicaSet"},
    "batch/v1": {"jobs": "Job"},
    "coordination.k8s.io/v1": {"leases": "Lease"},
}
COLLECTIONS = {plural for resources in SERVED.values() for plural in resources}
EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


class InMemoryCluster:
    """The connection and the API server at its other end.

    ``log``: all requests so far, `PATCH /api/v1/namespaces/n`; ``dry_runs``: the paths of the dry runs, which are not
    among them. ``objects``: what is stored, by path. ``hook`` is called with the method, the path and the body of each
    request before it is carried out, and may raise ApiError instead.
    ``admission`` may rewrite what is applied. ``may_write`` and ``pods_start`` tell whether we have all rights, and
    whether Deployments become ready.
    """

    host = "https://cluster.example"
    requests: Mapping[str, int] = {"read": 0, "write": 0, "dry_run": 0}

    def __init__(self) -> None:
        self.log: list[str] = []
        self.dry_runs: list[str] = []
        self.objects: dict[str, dict[str, Any]] = {}
        self.hook: Callable[[str, str, Any], None] = lambda _method, _path, _body: None
        self.admission: Callable[[dict[str, Any]], None] = lambda _body: None
        self.may_write = self.pods_start = True
        self._version = 0
        self._lock = threading.RLock()

    @property
    def writes(self) -> list[str]:
        """The requests that stored something, in their order."""
        return [line for line in self.log if not line.startswith("GET") and "authorization.k8s.io" not in line]

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = "") -> Response:
        """Answer like Connection.get()."""
        return self.request("GET", path, query=query, accept=accept)

    def find(self, path: str) -> dict[str, Any] | None:
        """Answer like Connection.find()."""
        try:
            found: dict[str, Any] = self.get(path).body
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def open_watch(self, *_request: Any) -> Any:
        """Refuse, as the API server does to who may not watch."""
        raise ApiError(403, "Forbidden", "not for you")

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "",
        **_details: Any,
    ) -> Response:
        """Answer like Connection.request()."""
        if "dryRun" in (query or {}):
            self.dry_runs.append(path)
            return self._dry_run(path, body)
        self.log.append(f"{method} {path}")
        self.hook(method, path, body)
        with self._lock:
            if method == "GET":
                return Response(200, _sent(self._read(path, query or {})))
            if "authorization.k8s.io" in path:
                return Response(
                    201, {"status": {"resourceRules": [EVERYTHING] * self.may_write, "allowed": self.may_write}}
                )
            if method == "POST":
                path = f"{path}/{body['metadata']['name']}"
            if method == "PATCH":
                assert content_type == APPLY_PATCH
            write = {"POST": self._create, "PUT": self._replace, "PATCH": self._apply, "DELETE": self._delete}[method]
            return Response(200, _sent(write(path, body)))

    def _dry_run(self, path: str, body: Any) -> Response:
        """Say what an apply would make of an object."""
        with self._lock:
            stored, version = dict(self.objects), self._version
            after = _sent(self._apply(path, body))
            self.objects, self._version = stored, version
            return Response(200, after)

    def _read(self, path: str, query: Mapping[str, Any]) -> Any:
        if path == "/version":
            return {"gitVersion": "v1.36.0"}
        if path in ("/api", "/apis"):
            return {"kind": "APIGroupDiscoveryList", "items": _groups(core=path == "/api")}
        if path.rpartition("/")[2] in COLLECTIONS and path != "/api/v1/namespaces":
            stored = [body for at, body in self.objects.items() if at.rpartition("/")[0] == path]
            return {"items": [body for body in stored if _selected(body, query.get("labelSelector", ""))]}
        return self._stored(path)

    def _stored(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise ApiError(404, "NotFound", f"{path} not found")
        return self.objects[path]

    def _create(self, path: str, body: Any) -> dict[str, Any]:
        if path in self.objects:
            raise ApiError(409, "AlreadyExists", f"{path} already exists")
        return self._store(path, body)

    def _replace(self, path: str, body: Any) -> dict[str, Any]:
        if body["metadata"]["resourceVersion"] != self._stored(path)["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", f"{path} has been modified")
        return self._store(path, body)

    def _apply(self, path: str, body: Any) -> dict[str, Any]:
        stated = {key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")}
        metadata = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace")}
        record = {
            "manager": "agentsmith.platform",
            "operation": "Apply",
            "apiVersion": body["apiVersion"],
            "fieldsV1": _fields({**stated, **({"metadata": metadata} if metadata else {})}),
        }
        admitted = _sent(body)
        self.admission(admitted)
        return self._store(path, {**admitted, "metadata": {**admitted["metadata"], "managedFields": [record]}})

    def _store(self, path: str, body: Any) -> dict[str, Any]:
        space = "/".join(path.split("/namespaces/")[-1].split("/")[:1])
        if f"/api/v1/namespaces/{space}" not in {*self.objects, path}:
            raise ApiError(404, "NotFound", f'namespaces "{space}" not found')
        before = self.objects.get(path)
        stored = _sent(body)
        metadata = {key: value for key, value in stored["metadata"].items() if key != "resourceVersion"}
        self._version += 1
        uid = before["metadata"]["uid"] if before else f"uid-{self._version}"
        stored["metadata"] = {**metadata, "uid": uid, "resourceVersion": str(self._version)}
        if stored["kind"] == "Deployment":
            replicas = 1 if self.pods_start else 0
            stored["status"] = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": replicas}
        self.objects[path] = stored
        return stored

    def _delete(self, path: str, body: Any) -> dict[str, Any]:
        metadata = self._stored(path)["metadata"]
        if any(metadata[key] != value for key, value in (body or {}).get("preconditions", {}).items()):
            raise ApiError(409, "Conflict", f"{path}: a precondition failed")
        return self.objects.pop(path)


def _sent(body: Any) -> Any:
    """Return what arrives at the other end: JSON."""
    return json.loads(json.dumps(body))


def _groups(core: bool) -> list[dict[str, Any]]:
    groups = []
    for api_version, resources in SERVED.items():
        group, _slash, version = api_version.rpartition("/")
        if core is not bool(group):
            served = [
                {
                    "resource": plural,
                    "responseKind": {"kind": kind},
                    "scope": "Cluster" if kind == "Namespace" else "Namespaced",
                    "verbs": ["list", "delete"],
                }
                for plural, kind in resources.items()
            ]
            groups.append({"metadata": {"name": group}, "versions": [{"version": version, "resources": served}]})
    return groups


def _selected(body: Mapping[str, Any], selector: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    wanted = (part.partition("=") for part in selector.split(",") if part)
    return all(name in labels and (not equals or labels[name] == value) for name, equals, value in wanted)


def _fields(value: Any) -> dict[str, Any]:
    """Return the record of what was stated. Lists are recorded as a whole."""
    return {f"f:{key}": _fields(below) for key, below in value.items()} if isinstance(value, dict) else {}
