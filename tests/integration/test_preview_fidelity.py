# SPDX-License-Identifier: GPL-3.0-or-later
"""What `--check --diff` says of a deploy is what the deploy then does: object by object, line by line."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets import redaction
from control_plane import ControlPlane
from release_objects import a_release, an_object
from transactions import Release, Result

MERGE = "application/merge-patch+json"
DISPATCHER = "agentsmith-dispatcher"
Objects = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def comparable_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key the digests of all runs alike, so that those of a preview and of a run can be compared."""
    monkeypatch.setattr(redaction.secrets, "token_bytes", lambda length: b"k" * length)


def the(objects: Objects, kind: str, name: str = "") -> dict[str, Any]:
    return next(body for body in objects if body["kind"] == kind and name in ("", body["metadata"]["name"]))


class Change:
    """The kinds of change, each done to the objects of a release or to the cluster."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._control_plane = control_plane
        self._namespace = namespace

    def an_empty_cluster(self, objects: Objects) -> None:
        """Change nothing: the first deploy."""

    def an_image(self, objects: Objects) -> None:
        the(objects, "Deployment", DISPATCHER)["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:2"

    def a_number_of_replicas(self, objects: Objects) -> None:
        the(objects, "Deployment", DISPATCHER)["spec"]["replicas"] = 3

    def a_configuration(self, objects: Objects) -> None:
        the(objects, "ConfigMap")["data"]["agentsmith.yml"] = "projects:\n  one: {}\n"

    def a_value_of_a_secret(self, objects: Objects) -> None:
        the(objects, "Secret")["stringData"]["github-token"] = "ghp_another_value"  # noqa: S105  a test value

    def a_key_of_a_secret_more_and_one_less(self, objects: Objects) -> None:
        the(objects, "Secret")["stringData"]["jira-token"] = "jira_value"  # noqa: S105  a test value
        the(objects, "Deployment", DISPATCHER)["spec"]["template"]["spec"]["containers"][0]["env"].pop()
        del the(objects, "Secret")["stringData"]["github-token"]

    def a_field_that_is_no_longer_stated(self, objects: Objects) -> None:
        del the(objects, "Deployment", "redis")["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]

    def an_object_more(self, objects: Objects) -> None:
        objects.append(an_object("v1", "ConfigMap", self._namespace, "more", data={"key": "value"}))

    def objects_that_are_no_longer_wanted(self, objects: Objects) -> None:
        objects[:] = [body for body in objects if body["metadata"]["name"] not in ("more", "redis")]

    def a_change_by_somebody_else(self, objects: Objects) -> None:
        del objects
        self._patch("/apis/apps/v1/{}/deployments/agentsmith-dispatcher", {"spec": {"replicas": 5}})

    def an_object_that_somebody_deleted(self, objects: Objects) -> None:
        del objects
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/agentsmith"
        assert self._control_plane.request("DELETE", path)[0] == 200

    def a_copy_of_the_object_that_kubectl_left(self, objects: Objects) -> None:
        del objects
        annotation = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        self._patch("/api/v1/{}/configmaps/agentsmith-config", {"metadata": {"annotations": annotation}})

    def _patch(self, path: str, body: dict[str, Any]) -> None:
        path = path.format(f"namespaces/{self._namespace}")
        assert self._control_plane.request("PATCH", path, body, MERGE)[0] == 200


def said(steps: list[Result], new_secret: bool) -> str:
    """Return what a user sees of the steps of a deploy.

    :param new_secret: whether the Secret does not exist yet. The digest of what pods read of it is known once it does
        (docs/decisions, 0007), and a preview says so instead.
    """
    seen = [{key: step.get(key) for key in ("changed", "objects", "diff", "warnings", "recorded")} for step in steps]
    text = json.dumps(seen, indent=1).replace("would be", "was")
    return re.sub(r"(?<=secret-digest: )[^\\]*", "…", text) if new_secret else text


def test_a_preview_says_exactly_what_the_deploy_does(
    control_plane: ControlPlane,
    connection_options: dict[str, Any],
    new_namespace: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    release = Release(new_namespace, connection_options)
    objects = a_release(new_namespace)
    changes = Change(control_plane, new_namespace)
    kinds: list[str] = [name for name in vars(Change) if not name.startswith("_")]
    wrong = []
    for kind in kinds:
        change: Callable[[Objects], None] = getattr(changes, kind)
        change(objects)
        settings = {"wait": False, "diff_mode": True}
        preview = release.apply(deepcopy(objects), check_mode=True, **settings)
        committed = release.commit(deepcopy(objects), preview, check_mode=True, **settings)
        assert preview["requests"]["write"] == committed["requests"]["write"] == 0
        done = release.deploy(deepcopy(objects), **settings)
        assert done["apply"]["changed"] or done["commit"]["changed"], kind
        new_secret = kind == "an_empty_cluster"
        predicted = said([preview, committed], new_secret)
        happened = said([done["apply"], done["commit"]], new_secret)
        if predicted != happened:
            wrong.append(kind)
            print(
                *difflib.unified_diff(predicted.splitlines(), happened.splitlines(), "predicted", "happened"), sep="\n"
            )
    with capsys.disabled():
        print(f"\n{len(kinds) - len(wrong)} of {len(kinds)} kinds of change predicted exactly")
    assert wrong == []
