# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of a desired with a live object, by the record that the server keeps.

The records are those that Kubernetes 1.36 wrote; tests/integration checks the rules against a real server.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.comparison import compare
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import as_text

ADDRESS = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "thing", "namespace": "here"}}


def live_object(content: dict[str, Any], record: dict[str, Any], **entry: Any) -> dict[str, Any]:
    """Return a live object with a record of our fields."""
    fields = {"manager": "agentsmith.platform", "operation": "Apply", "apiVersion": "v1", "fieldsV1": record, **entry}
    body = copy.deepcopy({**ADDRESS, **content})
    body["metadata"]["managedFields"] = [{"manager": "kube-controller-manager", "operation": "Update"}, fields]
    return body


LEAF: dict[str, Any] = {}
DATA = {"f:data": {"f:a": LEAF, "f:b": LEAF}}
CPU = {"f:limits": {"f:cpu": LEAF}}
ITEM = {".": {}, "f:name": LEAF, "f:value": LEAF}
ENV = {"f:env": {'k:{"name":"A"}': ITEM, 'k:{"name":"B"}': ITEM}}
PORTS = {"f:ports": {'k:{"port":53,"protocol":"TCP"}': {".": {}, "f:port": LEAF}}}
UDP_PORT = {".": {}, "f:port": LEAF, "f:protocol": LEAF}
TWO_PORTS = {"f:ports": {**PORTS["f:ports"], 'k:{"port":53,"protocol":"UDP"}': UDP_PORT}}
WHOLE = {"f:rules": LEAF}
SET = {"f:finalizers": {'v:"a"': LEAF, 'v:"b"': LEAF}}


def env(*entries: tuple[str, str | None]) -> dict[str, Any]:
    """Return a list of variables; None leaves the value out, as the server does with an empty one."""
    return {"env": [{"name": name, **({} if value is None else {"value": value})} for name, value in entries]}


# name: desired content, live content, record, changed paths, doubtful paths
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[str], list[str]]] = {
    "equal": ({"data": {"a": "1", "b": "2"}}, {"data": {"a": "1", "b": "2"}}, DATA, [], []),
    "another value": ({"data": {"a": "1", "b": "3"}}, {"data": {"a": "1", "b": "2"}}, DATA, ["data.b"], []),
    "a field removed": ({"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}}, DATA, ["data.b"], []),
    "an empty list that the server drops": ({"env": []}, {}, {}, [], ["env"]),
    "an empty map that the server drops": (
        {"data": {"a": "1"}, "labels": {}},
        {"data": {"a": "1"}},
        {"f:data": {"f:a": LEAF}},
        [],
        ["labels"],
    ),
    "an empty list in place of another's entries": ({"env": []}, {"env": [{"name": "A"}]}, {}, ["env"], []),
    "a field of another manager": (
        {"data": {"a": "1", "b": "2"}},
        {"data": {"a": "1", "b": "2", "c": "3"}},
        DATA,
        [],
        [],
    ),
    "a field that is not ours yet": (
        {"data": {"a": "1", "b": "2", "c": "3"}},
        {"data": {"a": "1", "b": "2", "c": "3"}},
        DATA,
        ["data.c"],
        [],
    ),
    "all fields removed": ({}, {"data": {"a": "1", "b": "2"}}, DATA, ["data"], []),
    "emptied": ({"data": {}}, {"data": {"a": "1", "b": "2"}}, DATA, ["data"], []),
    "gone": ({"data": {"a": "1", "b": "2"}}, {}, DATA, ["data"], []),
    "never applied": ({"data": {"a": "1"}}, {"data": {"a": "1"}}, {}, ["data"], []),
    "a text that looks like a quantity": (
        {"data": {"a": "1000m", "b": "2"}},
        {"data": {"a": "1", "b": "2"}},
        DATA,
        ["data.a"],
        [],
    ),
    "quantity 1000m": ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}, CPU, [], []),
    "quantity as a number": ({"limits": {"cpu": 1}}, {"limits": {"cpu": "1"}}, CPU, [], []),
    "quantity 1024Mi": ({"limits": {"cpu": "1024Mi"}}, {"limits": {"cpu": "1Gi"}}, CPU, [], []),
    "quantity 1G is not 1Gi": ({"limits": {"cpu": "1G"}}, {"limits": {"cpu": "1Gi"}}, CPU, ["limits.cpu"], []),
    "no quantity at all": ({"limits": {"cpu": "lots"}}, {"limits": {"cpu": "1"}}, CPU, ["limits.cpu"], []),
    "true is not 1": ({"data": True}, {"data": 1}, {"f:data": LEAF}, ["data"], []),
    "a number as text": ({"data": "1"}, {"data": 1}, {"f:data": LEAF}, ["data"], []),
    "a whole float": ({"data": 1.0}, {"data": 1}, {"f:data": LEAF}, [], []),
    "zero left out": ({"data": 0}, {}, {"f:data": LEAF}, [], []),
    "false left out": ({"data": False}, {}, {"f:data": LEAF}, [], []),
    "empty list left out": ({"data": []}, {}, {"f:data": LEAF}, [], []),
    "false not ours yet": ({"data": False}, {}, {}, ["data"], []),
    "empty map beside others": ({"data": {}}, {"data": {"c": "3"}}, {"f:data": LEAF}, [], ["data"]),
    "empty list beside others": ({"data": []}, {"data": ["c"]}, {"f:data": LEAF}, [], ["data"]),
    "keyed list": (env(("A", "1"), ("B", "2")), env(("A", "1"), ("B", "2")), ENV, [], []),
    "keyed list, empty text left out": (env(("A", ""), ("B", "2")), env(("A", None), ("B", "2")), ENV, [], []),
    "keyed list, others between": (env(("A", "1"), ("B", "2")), env(("A", "1"), ("X", "9"), ("B", "2")), ENV, [], []),
    "keyed list, other order": (env(("B", "2"), ("A", "1")), env(("A", "1"), ("B", "2")), ENV, ["env"], []),
    "keyed list, entry removed": (env(("A", "1")), env(("A", "1"), ("B", "2")), ENV, ["env[name=B]"], []),
    "keyed list, entry added": (
        env(("A", "1"), ("B", "2"), ("C", "3")),
        env(("A", "1"), ("B", "2")),
        ENV,
        ["env[name=C]"],
        [],
    ),
    "keyed list, entry lost": (env(("A", "1"), ("B", "2")), env(("B", "2")), ENV, ["env[name=A]"], []),
    "keyed list, value": (env(("A", "1"), ("B", "3")), env(("A", "1"), ("B", "2")), ENV, ["env[name=B].value"], []),
    "keyed list, list lost": (env(("A", "1"), ("B", "2")), {}, ENV, ["env[name=A]", "env[name=B]"], []),
    "default in a key": ({"ports": [{"port": 53}]}, {"ports": [{"port": 53, "protocol": "TCP"}]}, PORTS, [], []),
    "default in a key, stated": (
        {"ports": [{"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": 53, "protocol": "TCP"}]},
        PORTS,
        ["ports[port=53,protocol=TCP].protocol"],
        [],
    ),
    "default in a key, twins": (
        {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]},
        {"ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
        TWO_PORTS,
        [],
        [],
    ),
    "whole list": ({"rules": [{"verbs": ["get"]}]}, {"rules": [{"verbs": ["get"]}]}, WHOLE, [], []),
    "whole list, order": ({"rules": ["a", "b"]}, {"rules": ["b", "a"]}, WHOLE, ["rules"], []),
    "whole list, empty text": ({"rules": ["--save", ""]}, {"rules": ["--save", ""]}, WHOLE, [], []),
    "whole list, shorter": ({"rules": ["--save"]}, {"rules": ["--save", ""]}, WHOLE, ["rules"], []),
    "whole list, default filled in": ({"rules": [{"p": 80}]}, {"rules": [{"p": 80, "protocol": "TCP"}]}, WHOLE, [], []),
    "whole list, unknown addition": ({"rules": [{"p": 80}]}, {"rules": [{"p": 80, "x": 1}]}, WHOLE, [], ["rules"]),
    "whole list, no default": (
        {"rules": [{"p": 80}]},
        {"rules": [{"p": 80, "protocol": "UDP"}]},
        WHOLE,
        [],
        ["rules"],
    ),
    "whole list, false left out": ({"rules": [{"p": 80, "x": False}]}, {"rules": [{"p": 80}]}, WHOLE, [], ["rules"]),
    "whole list, value left out": ({"rules": [{"p": 80, "x": 1}]}, {"rules": [{"p": 80}]}, WHOLE, ["rules"], []),
    "reference with its default": (
        {"fieldRef": {"fieldPath": "a"}},
        {"fieldRef": {"fieldPath": "a", "apiVersion": "v1"}},
        {"f:fieldRef": LEAF},
        [],
        [],
    ),
    "set": ({"finalizers": ["a", "b"]}, {"finalizers": ["x", "a", "b"]}, SET, [], []),
    "set, removed": ({"finalizers": ["a"]}, {"finalizers": ["a", "b"]}, SET, ["finalizers"], []),
    "set, lost": ({"finalizers": ["a", "b"]}, {"finalizers": ["a"]}, SET, ["finalizers"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_comparison(case: str) -> None:
    desired, live, record, changed, doubtful = CASES[case]
    result = compare({**ADDRESS, **desired}, live_object(live, record))
    assert ([*map(as_text, result.changed)], [*map(as_text, result.doubtful)]) == (changed, doubtful)


def test_a_record_of_another_version_of_the_kind_does_not_count() -> None:
    live = live_object({"data": {"a": "1"}}, {"f:data": {"f:a": LEAF}}, apiVersion="v1beta1")
    assert compare({**ADDRESS, "data": {"a": "1"}}, live).changed == [("apiVersion",)]


def test_a_record_of_a_subresource_does_not_count() -> None:
    live = live_object({"data": {"a": "1"}}, {"f:data": {"f:a": LEAF}}, subresource="status")
    assert compare({**ADDRESS, "data": {"a": "1"}}, live).changed == [("data",)]


def test_an_object_without_any_record_differs() -> None:
    live = copy.deepcopy({**ADDRESS, "data": {"a": "1"}})
    assert compare({**ADDRESS, "data": {"a": "1"}}, live).changed == [("data",)]


def test_labels_are_compared_and_the_address_is_not() -> None:
    live = live_object({}, {"f:metadata": {"f:labels": {"f:app": LEAF}}})
    live["metadata"]["labels"] = {"app": "b"}
    desired = copy.deepcopy(ADDRESS)
    desired["metadata"]["labels"] = {"app": "a"}
    assert compare(desired, live).changed == [("metadata", "labels", "app")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "containers", "[name=redis]", "image"), "spec.containers[name=redis].image"),
        (("data", "agentsmith.yml"), "data[agentsmith.yml]"),
        (("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
    ],
)
def test_paths_are_written_so_that_a_dot_is_no_riddle(path: tuple[str, ...], text: str) -> None:
    assert as_text(path) == text
