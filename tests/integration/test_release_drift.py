# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift on a real API server: what people do with kubectl, found by object, field, field manager and time."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.drift import find_drift
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from control_plane import ControlPlane, free_port
from engine import Apply, Play
from release_objects import RBAC, a_config_map, a_deployment, a_release, a_secret, an_object

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
Drift = Callable[[list[dict[str, Any]]], dict[str, Any]]
Edit = Callable[..., None]


@pytest.fixture
def drift(connection_options: dict[str, Any], new_namespace: str) -> Drift:
    """Compare with the release and see to it that nothing is written: the report, masked as the task masks it."""

    def compare(objects: list[dict[str, Any]]) -> dict[str, Any]:
        redactor = Redactor()
        with Connection(connection_options) as connection:
            report = find_drift(connection, objects, Owner(new_namespace, "agentsmith"), redactor)
            assert connection.requests["write"] == 0
        return redactor.tree({**report.as_dict(), "text": report.as_text()})

    return compare


@pytest.fixture
def edit(control_plane: ControlPlane, new_namespace: str) -> Edit:
    """Change a live object as kubectl does: `edit("deployments/redis", {…}, manager="kubectl-edit")`."""

    def change(
        what: str, body: Any, manager: str = "kubectl-edit", content_type: str = STRATEGIC, subresource: str = ""
    ) -> None:
        plural, name = what.split("/")
        root = {"deployments": "/apis/apps/v1"}.get(plural, "/api/v1")
        path = f"{root}/namespaces/{new_namespace}/{plural}/{name}{subresource}?fieldManager={manager}"
        status, answer = control_plane.request("PATCH", path, body, content_type)
        assert status == 200, answer

    return change


def fields_of(report: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    (found,) = [entry for entry in report["objects"] if f"{entry['kind']}/{entry['name']}" == name]
    assert found["state"] == "changed"
    return {entry["path"]: entry for entry in found["fields"]}


def containers(**content: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "redis", **content}]}}}}


def test_an_unchanged_release_has_no_drift(apply: Apply, drift: Drift, new_namespace: str) -> None:
    apply(a_release(new_namespace))
    report = drift(a_release(new_namespace))
    assert report["in_sync"] and report["objects"] == []
    assert report["text"].endswith("No drift: all 10 objects of the release match the inventory.")


def test_what_people_do(apply: Apply, drift: Drift, edit: Edit, new_namespace: str) -> None:
    apply(a_release(new_namespace))
    edit("deployments/redis", containers(image="redis:8", env=[{"name": "DEBUG", "value": "1"}], stdin=True))
    edit("deployments/redis", {"spec": {"replicas": 3}}, "kubectl", MERGE, "/scale")
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    edit("deployments/redis", {"spec": {"template": {"metadata": {"annotations": restarted}}}}, "kubectl-rollout")
    edit("deployments/redis", {"metadata": {"labels": {"app.kubernetes.io/instance": "agentsmith", "team": "x"}}})
    edit("deployments/agentsmith-dispatcher", containers(name="agentsmith-dispatcher", args=["--verbose"]), "a-script")
    edit("configmaps/agentsmith-config", {"data": {"agentsmith.yml": "projects: {}\nsecrets: {}\n"}})
    edit("services/redis", {"spec": {"selector": {"app": "another"}, "sessionAffinity": "ClientIP"}})

    report = drift(a_release(new_namespace))
    redis = fields_of(report, "Deployment/redis")
    container = "spec.template.spec.containers[name=redis]"
    annotation = "spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]"
    assert {path: (e["wanted"], e["live"], e["restored"], e["manager"]) for path, e in redis.items()} == {
        f"{container}.image": ("redis", "redis:8", True, "kubectl-edit"),
        f"{container}.env[name=DEBUG]": (None, {"name": "DEBUG", "value": "1"}, False, "kubectl-edit"),
        f"{container}.stdin": (None, True, False, "kubectl-edit"),
        "spec.replicas": (1, 3, True, "kubectl"),
        "metadata.labels.team": (None, "x", False, "kubectl-edit"),
        annotation: (None, "2026-01-01T00:00:00Z", False, "kubectl-rollout"),
    }
    assert redis["spec.replicas"]["subresource"] == "scale"
    age = datetime.now(UTC) - datetime.fromisoformat(redis[f"{container}.image"]["time"].replace("Z", "+00:00"))
    assert timedelta(seconds=-1) < age < timedelta(minutes=1)

    dispatcher = fields_of(report, "Deployment/agentsmith-dispatcher")
    assert [(path, e["live"], e["manager"]) for path, e in dispatcher.items()] == [
        ("spec.template.spec.containers[name=agentsmith-dispatcher].args", ["--verbose"], "a-script")
    ]
    assert set(fields_of(report, "ConfigMap/agentsmith-config")) == {"data[agentsmith.yml]"}
    assert {path: e["restored"] for path, e in fields_of(report, "Service/redis").items()} == {
        "spec.selector.app": True,
        "spec.sessionAffinity": False,
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds": False,
    }
    assert len(report["objects"]) == 4
    assert re.search(r"^Deployment redis +spec\.replicas +1 +3 +kubectl \(scale\)$", report["text"], re.MULTILINE)
    assert re.search(r"line 2: \(end\) +line 2: secrets: \{\} +kubectl-edit", report["text"])


def test_a_deploy_takes_back_exactly_what_the_report_says(
    apply: Apply, drift: Drift, edit: Edit, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    edit("deployments/redis", containers(image="redis:8", stdin=True))
    before = fields_of(drift(a_release(new_namespace)), "Deployment/redis")
    apply(a_release(new_namespace))
    after = fields_of(drift(a_release(new_namespace)), "Deployment/redis")
    assert set(after) == {path for path, entry in before.items() if not entry["restored"]}


def test_a_removed_field_has_no_owner(apply: Apply, drift: Drift, edit: Edit, new_namespace: str) -> None:
    apply(a_release(new_namespace))
    edit("deployments/redis", [{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}],
         content_type="application/json-patch+json")  # fmt: skip
    found = fields_of(drift(a_release(new_namespace)), "Deployment/redis")
    (probe,) = found.values()
    assert probe["path"].endswith(".readinessProbe") and probe["live"] is None and probe["manager"] == ""


def test_what_is_not_deployed_yet_is_told_from_what_others_did(apply: Apply, drift: Drift, new_namespace: str) -> None:
    apply(a_release(new_namespace))
    objects = a_release(new_namespace)
    objects[7]["spec"]["replicas"] = 2
    (field,) = fields_of(drift(objects), "Deployment/redis").values()
    assert (field["path"], field["wanted"], field["live"]) == ("spec.replicas", 2, 1)
    assert field["manager"] == "agentsmith.platform"
    assert "agentsmith.platform: not deployed yet" in drift(objects)["text"]


def test_missing_and_extra_objects(apply: Apply, drift: Drift, control_plane: ControlPlane, new_namespace: str) -> None:
    apply(a_release(new_namespace))
    surplus = an_object(f"{RBAC}/v1", "Role", new_namespace, "surplus", rules=[])
    foreign = a_config_map(new_namespace)
    foreign["metadata"] |= {"name": "foreign", "labels": {}}
    apply([surplus, foreign])
    for path in ("configmaps/agentsmith-config", "secrets/agentsmith-secrets"):
        assert control_plane.request("DELETE", f"/api/v1/namespaces/{new_namespace}/{path}")[0] == 200
    report = drift(a_release(new_namespace))
    # The Deployment that reads the missing Secret has no drift of its own.
    assert [(entry["kind"], entry["name"], entry["state"]) for entry in report["objects"]] == [
        ("Secret", "agentsmith-secrets", "missing"),
        ("ConfigMap", "agentsmith-config", "missing"),
        ("Role", "surplus", "extra"),
    ]


def test_nothing_is_there(drift: Drift, new_namespace: str) -> None:
    report = drift(a_release(new_namespace))
    assert [entry["state"] for entry in report["objects"]] == ["missing"] * 10


def test_no_value_of_a_secret_is_shown(
    apply: Apply, drift: Drift, edit: Edit, play: Play, control_plane: ControlPlane, new_namespace: str
) -> None:
    wanted, live = "MARK/wanted+value=1", "MARK/live+value=2"
    objects = [a_secret(new_namespace, token=wanted), a_deployment(new_namespace)]
    apply([an_object("v1", "Namespace", "", new_namespace), *objects])
    last_applied = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"token": "{live}"}}'}
    encoded = base64.b64encode(live.encode()).decode()
    edit("secrets/agentsmith-secrets", {"data": {"token": encoded}, "metadata": {"annotations": last_applied}})
    edit("deployments/redis", containers(env=[{"name": "TOKEN", "value": f"copied: {live}"}]))
    report = drift(objects)
    found = fields_of(report, "Secret/agentsmith-secrets")
    assert re.fullmatch(r"\*+ \(digest [0-9a-f]{12}\)", found["data.token"]["live"])
    assert found["data.token"]["live"] != found["data.token"]["wanted"]
    assert found["metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]"]["restored"]
    options = {"host": control_plane.url, "api_key": control_plane.token, "ca_cert": str(control_plane.ca_file)}
    ended = play(objects, {**options, "namespace": new_namespace}, "-vvvv", action="release_drift")
    assert ended.returncode == 0, ended.stdout
    for output in (json.dumps(report), ended.stdout + ended.stderr):
        for value in (wanted, live):
            assert base64.b64encode(value.encode()).decode() not in output
        assert "MARK" not in output


def test_a_cluster_that_does_not_answer_is_unreachable(play: Play) -> None:
    options = {"host": f"https://127.0.0.1:{free_port()}", "api_key": "token", "namespace": "release"}
    ended = play([], options, action="release_drift")
    assert ended.returncode == 4, ended.stdout
    assert "does not answer" in ended.stdout
