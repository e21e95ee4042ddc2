# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of writes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply import execution
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.execution import Execution
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.kinds import KINDS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject


class WritingConnection:
    """Notes the writes; refuses those of the names in *refused*."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.written: list[str] = []
        self._lock = threading.Lock()

    def request(self, method: str, path: str, **details: Any) -> Response:
        """Answer like Connection.request()."""
        with self._lock:
            self.written.append(path)
        if path in self.refused:
            raise ApiError(422, "Invalid", "no good")
        body = {"metadata": {"resourceVersion": "2", "uid": "u"}} if method == "DELETE" else dict(details["body"])
        return Response(200, body, ('299 - "deprecated \\"x\\""',))


def planned(kind: str, exists: bool = False, result: str = "created") -> PlannedObject:
    """Return an object that is to be written; its path is its kind."""
    body = {
        "apiVersion": API_VERSIONS[kind],
        "kind": kind,
        "metadata": {"name": "x", "resourceVersion": "1", "uid": "u"},
    }
    fields = ["data"] if exists else []
    return PlannedObject(body, kind, body if exists else None, "updated" if exists else result, fields)


API_VERSIONS = {name: f"{group}/v1" if group else "v1" for group, name in KINDS}
WRITTEN = ["HTTPRoute", "Deployment", "Secret", "Role", "Namespace", "Service", "NetworkPolicy", "Ingress"]


def execute(connection: WritingConnection, items: list[PlannedObject], verb: str = "apply") -> Execution:
    """Write the objects."""
    with ThreadPoolExecutor(1) as executor:
        subject = Execution(connection, executor, dry_run=False)  # type: ignore[arg-type]
        getattr(subject, verb)(items)
    return subject


def test_objects_are_written_in_waves() -> None:
    connection = WritingConnection()
    items = [planned("ConfigMap", exists=True), *map(planned, WRITTEN)]
    execute(connection, items)
    assert connection.written == [
        "Namespace",
        "Role",
        "NetworkPolicy",
        "Secret",
        "Deployment",
        "Service",
        "HTTPRoute",
        "Ingress",
        "ConfigMap",
    ]
    assert all(item.done for item in items)


def test_a_config_map_that_is_missing_goes_before_the_workloads_that_mount_it() -> None:
    connection = WritingConnection()
    execute(connection, [planned("Deployment"), planned("ConfigMap")])
    assert connection.written == ["ConfigMap", "Deployment"]


def test_admission_policies_stand_before_the_namespace_that_needs_them() -> None:
    connection = WritingConnection()
    execute(connection, [planned("Namespace"), planned("MutatingAdmissionPolicyBinding")])
    assert connection.written == ["MutatingAdmissionPolicyBinding", "Namespace"]


def test_objects_are_deleted_in_the_opposite_order() -> None:
    connection = WritingConnection()
    items = [planned(kind, exists=True) for kind in ("Namespace", "Deployment", "Secret", "ConfigMap")]
    for item in items:
        item.result = "deleted"
    execute(connection, items, "delete")
    assert connection.written == ["ConfigMap", "Deployment", "Secret", "Namespace"]


def test_a_wave_that_fails_is_the_last_and_its_other_objects_are_done() -> None:
    connection = WritingConnection("Deployment")
    items = [planned("Deployment"), planned("Service"), planned("Ingress")]
    with pytest.raises(ApplyError, match=r"Deployment x was refused \(422\): no good"):
        execute(connection, items)
    assert connection.written == ["Deployment", "Service"]
    assert [item.done for item in items] == [False, True, False]


def test_a_wave_is_completed_with_what_earlier_ones_brought() -> None:
    connection = WritingConnection()
    written_before: list[list[str]] = []

    def note(wave: Sequence[PlannedObject]) -> None:
        written_before.append([*connection.written, "then", *(item.path for item in wave)])

    with ThreadPoolExecutor(1) as executor:
        subject = Execution(connection, executor, dry_run=False)  # type: ignore[arg-type]
        subject.apply([planned("Deployment"), planned("Secret"), planned("Role", result="unchanged")], note)
    assert written_before == [["then", "Secret"], ["Secret", "then", "Deployment"]]


def test_what_is_unchanged_is_not_written() -> None:
    connection = WritingConnection()
    execute(connection, [planned("Deployment", result="unchanged")])
    assert connection.written == []


def test_warnings_of_the_server_are_kept_with_the_object() -> None:
    assert execute(WritingConnection(), [planned("Deployment")]).warnings == ['Deployment x: deprecated "x"']


class RefusingConnection(WritingConnection):
    """Lets nobody change what is there; takes a new one, unless *invalid*. What is deleted goes at the second look."""

    def __init__(self, invalid: bool = False) -> None:
        super().__init__()
        self.invalid = invalid
        self.sent: list[tuple[str, str]] = []
        self.looks = ["there", None]
        self.names: list[str] = []

    def request(self, method: str, path: str, **details: Any) -> Response:
        """Answer like Connection.request()."""
        self.sent.append((method, path))
        if method == "POST":
            self.names.append(details["body"]["metadata"].get("generateName") or "")
            assert details["query"]["dryRun"] == "All"
        if (method == "PATCH" and self.looks) or (method == "POST" and self.invalid):
            raise ApiError(422, "Invalid", "field is immutable")
        return super().request(method, path, **details)

    def find(self, path: str) -> Any:
        """Answer like Connection.find()."""
        self.sent.append(("GET", path))
        return self.looks.pop(0)


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_what_the_server_lets_nobody_change_is_made_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "POLL_PAUSE", 0)
    connection, item = RefusingConnection(), planned(kind, exists=True)
    item.path = f"/{kind}s/x"
    assert execute(connection, [item]).warnings[0].startswith(f"{kind} x was deleted and made again")
    assert [method for method, _path in connection.sent] == ["PATCH", "POST", "DELETE", "GET", "GET", "PATCH"]
    assert (connection.sent[1][1], connection.names) == (f"/{kind}s", ["x-"])
    assert item.done


def test_nothing_is_deleted_for_an_object_that_the_server_would_not_take() -> None:
    connection, item = RefusingConnection(invalid=True), planned("Job", exists=True)
    with pytest.raises(ApplyError, match=r"Job x was refused \(422\)"):
        execute(connection, [item])
    assert [method for method, _path in connection.sent] == ["PATCH", "POST"]
    assert not item.done


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "CronJob", "Service", "Secret"])
def test_other_kinds_are_not_made_again(kind: str) -> None:
    connection, item = RefusingConnection(), planned(kind, exists=True)
    with pytest.raises(ApplyError, match=rf"{kind} x was refused \(422\)"):
        execute(connection, [item])
    assert [method for method, _path in connection.sent] == ["PATCH"]
