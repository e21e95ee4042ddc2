# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and single reads make the same plan on a real API server, whatever has become of the objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import run
from control_plane import ControlPlane
from release_objects import LABELS, a_config_map, a_release, an_object
from transactions import Release

MERGE = "application/merge-patch+json"
Objects = list[dict[str, Any]]
Change = Callable[[ControlPlane, str, Objects], None]


def merge(plural: str, name: str, patch: dict[str, Any], root: str = "/api/v1") -> Change:
    """Return a change that somebody else makes of a live object."""

    def change(control_plane: ControlPlane, namespace: str, _objects: Objects) -> None:
        path = f"{root}/namespaces/{namespace}/{plural}/{name}"
        status, answer = control_plane.request("PATCH", path, patch, MERGE)
        assert status == 200, answer

    return change


def delete(plural: str, name: str, root: str = "/api/v1") -> Change:
    def change(control_plane: ControlPlane, namespace: str, _objects: Objects) -> None:
        status, answer = control_plane.request("DELETE", f"{root}/namespaces/{namespace}/{plural}/{name}")
        assert status == 200, answer

    return change


def state(changed: Callable[[Objects], object]) -> Change:
    """Return a change of what is wanted."""
    return lambda _control_plane, _namespace, objects: changed(objects) and None


def the(objects: Objects, kind: str) -> dict[str, Any]:
    return next(item for item in objects if item["kind"] == kind)


def add(namespace: str, objects: Objects) -> dict[str, Any]:
    objects.append(body := an_object("v1", "ConfigMap", namespace, "foreign", data={"key": "ours"}))
    return body


def foreign(labels: dict[str, str]) -> Change:
    """Somebody else has an object of a name that becomes wanted."""

    def change(control_plane: ControlPlane, namespace: str, objects: Objects) -> None:
        body = {**add(namespace, objects), "data": {"key": "theirs"}}
        body = {**body, "metadata": {"name": "foreign", "labels": labels}}
        status, answer = control_plane.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
        assert status == 201, answer

    return change


LABEL = "app.kubernetes.io/instance"
APPS = "/apis/apps/v1"
CASES: dict[str, Change] = {
    "unchanged": state(lambda _objects: None),
    "a new value": state(lambda objects: the(objects, "ConfigMap").update(data={"agentsmith.yml": "new"})),
    "a new image": state(
        lambda objects: the(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0].update(image="new")
    ),
    "a new object": lambda _control_plane, namespace, objects: add(namespace, objects) and None,
    "an object no longer wanted": state(lambda objects: objects.remove(the(objects, "Service"))),
    "a new value of a Secret": state(lambda objects: the(objects, "Secret").update(stringData={"token": "MARKED-new"})),
    "a drifted value": merge("configmaps", "agentsmith-config", {"data": {"agentsmith.yml": "drifted"}}),
    "a drifted number of replicas": merge("deployments", "redis", {"spec": {"replicas": 3}}, APPS),
    "a value of others": merge("configmaps", "agentsmith-config", {"data": {"other": "theirs"}}),
    "a label taken away": merge("configmaps", "agentsmith-config", {"metadata": {"labels": {LABEL: None}}}),
    "a label of another release": merge("configmaps", "agentsmith-config", {"metadata": {"labels": {LABEL: "other"}}}),
    "an object deleted": delete("configmaps", "agentsmith-config"),
    "a workload deleted": delete("deployments", "redis", APPS),
    "a foreign object of that name": foreign({}),
    "one of another release of that name": foreign({LABEL: "other"}),
    "one with our labels of that name": foreign(LABELS),
}


def plan(result: dict[str, Any]) -> str:
    """What a run says, without the number of its requests and the digests that stand for values of Secrets."""
    text = json.dumps({**result, "requests": None}, sort_keys=True)
    return re.sub(r"\(digest \w+\)", "", text)


@pytest.mark.parametrize("case", CASES)
def test_both_ways_make_the_same_plan(
    case: str,
    control_plane: ControlPlane,
    connection_options: dict[str, Any],
    new_namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = Release(new_namespace, connection_options)
    objects = [*a_release(new_namespace), a_config_map(new_namespace)]
    objects = list({(item["kind"], item["metadata"]["name"]): item for item in objects}.values())
    release.deploy(objects, wait=False)
    CASES[case](control_plane, new_namespace, objects)
    lists = release.apply(objects, check_mode=True, diff_mode=True, wait=False)
    monkeypatch.setattr(run, "list_live", lambda *_: {})
    single = release.apply(objects, check_mode=True, diff_mode=True, wait=False)
    assert plan(lists) == plan(single)
    assert (case == "unchanged") is not (lists["transaction"]["opened"] or lists.get("failed", False)), lists
    assert lists["requests"]["read"] <= single["requests"]["read"]
    if case == "unchanged":
        assert (lists["requests"]["read"], single["requests"]["read"]) == (25, 33)
    assert lists["requests"]["write"] == 0
