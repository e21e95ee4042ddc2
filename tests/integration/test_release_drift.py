# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift on a real API server: what people do with kubectl, found by object, field, field manager and time."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from admission import CPU, mutating, sidecar
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.drift import Ignored, find_drift
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane, free_port
from engine import Apply, Play
from release_objects import RBAC, a_config_map, a_deployment, a_release, a_secret, an_object

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
Drift = Callable[..., dict[str, Any]]
Edit = Callable[..., None]


@pytest.fixture
def drift(connection_options: dict[str, Any], new_namespace: str) -> Drift:
    """Compare with the release and see to it that nothing is written: the report, masked as the task masks it."""

    def compare(objects: list[dict[str, Any]], **ignored: list[str]) -> dict[str, Any]:
        redactor = Redactor()
        with Connection(connection_options) as connection:
            owner = Owner(new_namespace, "agentsmith")
            report = find_drift(connection, objects, owner, redactor, Ignored(**ignored))
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


def fields_of(report: dict[str, Any], name: str, state: str = "changed") -> dict[str, dict[str, Any]]:
    (found,) = [entry for entry in report["objects"] if f"{entry['kind']}/{entry['name']}" == name]
    assert found["state"] == state
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


NEG = "metadata.annotations[cloud.google.com/neg]"


def states_of(report: dict[str, Any]) -> dict[str, str]:
    return {f"{entry['kind']}/{entry['name']}": entry["state"] for entry in report["objects"]}


def test_what_others_add_is_kept_and_shown_apart(apply: Apply, drift: Drift, edit: Edit, new_namespace: str) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    annotated = {"metadata": {"annotations": {"cloud.google.com/neg": "x"}}}
    edit("services/redis", annotated, "glbc")
    edit("serviceaccounts/agentsmith", {"secrets": [{"name": "x-dockercfg"}]}, "openshift")
    edit("deployments/redis", {"spec": {"replicas": 3}, **annotated}, "somebody")
    report = drift(objects)
    assert states_of(report) == {
        "ServiceAccount/agentsmith": "kept",
        "Service/redis": "kept",
        "Deployment/redis": "changed",
    }
    assert not report["in_sync"]
    of_deploy, _title, kept = report["text"].partition("Others changed these fields, and a deploy keeps them.")
    assert re.search(r"^Deployment redis +spec\.replicas +1 +3 +somebody", of_deploy, re.MULTILINE)
    assert "neg" not in of_deploy and "spec.replicas" not in kept
    assert re.search(rf"^Service redis +\+ {re.escape(NEG)} +- +x +glbc ", kept, re.MULTILINE)
    assert "1 changed (1 field). Others changed 3 fields, which a deploy keeps." in report["text"]

    apply(objects)
    report = drift(objects)
    assert report["in_sync"] and set(states_of(report).values()) == {"kept"}
    assert "No drift: all 10 objects of the release match the inventory. Others changed 3 fields" in report["text"]
    assert report["ignored"] == []


IGNORED: dict[str, tuple[dict[str, list[str]], set[str]]] = {
    # what is ignored; what is reported still
    "a manager": ({"managers": ["glbc"]}, {"Service/redis annotated", "Deployment/redis replicas"}),
    "managers by a pattern": ({"managers": ["g*", "kubectl*"]}, set()),
    "a part of a manager's name": ({"managers": ["glb"]}, {"all"}),
    "a path": ({"paths": [NEG]}, {"Service/redis annotated", "Deployment/redis replicas"}),
    "what is below a path": ({"paths": ["metadata.annotations"]}, {"Deployment/redis replicas"}),
    "paths by a pattern": ({"paths": ["metadata.annotations[*/*", "spec.repl*"]}, set()),
    "a part of a path": ({"paths": ["metadata.annot", "spec.replica"]}, {"all"}),
    "the path of a kind": ({"paths": ["Deployment:spec.replicas", "Service:" + NEG]}, {"Service/redis annotated"}),
    "the path of an object": ({"paths": ["Deployment/redis:spec"]}, {"Service/redis neg", "Service/redis annotated"}),
    "the path of another one": ({"paths": ["Deployment/other:spec", "Pod:metadata"]}, {"all"}),
}


@pytest.mark.parametrize("case", IGNORED)
def test_what_is_to_be_ignored(apply: Apply, drift: Drift, edit: Edit, new_namespace: str, case: str) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    edit("services/redis", {"metadata": {"annotations": {"cloud.google.com/neg": "x"}}}, "glbc")
    edit("services/redis", {"metadata": {"annotations": {"example.com/annotated": "x"}}}, "kubectl-annotate")
    edit("deployments/redis", {"spec": {"replicas": 3}}, "kubectl", MERGE, "/scale")
    ignored, expected = IGNORED[case]
    report = drift(objects, **ignored)
    everything = {"Service/redis neg", "Service/redis annotated", "Deployment/redis replicas"}
    expected = everything if expected == {"all"} else expected
    found = [
        {
            f"{entry['kind']}/{entry['name']} {re.split(r'[./]', field['path'].rstrip(']'))[-1]}"
            for entry in entries
            for field in entry["fields"]
        }
        for entries in (report["objects"], report["ignored"])
    ]
    assert found == [expected, everything - expected]
    assert report["in_sync"] is ("Deployment/redis replicas" not in expected)
    assert ("Ignored (drift_ignore_managers, drift_ignore_paths)" in report["text"]) is (expected != everything)


def test_what_admission_rewrites_is_kept(
    apply: Apply, drift: Drift, control_plane: ControlPlane, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    apply(objects[:1])
    with mutating(control_plane, new_namespace, CPU):
        apply(objects[1:])
        report = drift(objects)
        assert report["in_sync"]
        (field,) = fields_of(report, "Deployment/redis", "kept").values()
        assert (field["wanted"], field["live"], field["restored"]) == ("100m", "250m", False)
        cpu = r"spec\.template\.spec\.containers\[name=redis\]\.resources\.requests\.cpu"
        assert re.search(rf"^Deployment redis +{cpu} +100m +250m +admission", report["text"], re.MULTILINE)
        # Another value from the inventory, which admission keeps, is to be deployed.
        objects[7]["spec"]["template"]["spec"]["containers"][0]["image"] = "redis:8"
        report = drift(objects)
        assert not report["in_sync"]
        restored = {
            path.rpartition(".")[2]: field["restored"] for path, field in fields_of(report, "Deployment/redis").items()
        }
        assert restored == {"image": True, "cpu": False}


def test_what_admission_injects_is_kept(
    apply: Apply, drift: Drift, control_plane: ControlPlane, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    apply(objects[:1])
    with mutating(control_plane, new_namespace, sidecar("0")):
        apply(objects[1:])
        report = drift(objects)
        assert report["in_sync"]
        (field,) = fields_of(report, "Deployment/redis", "kept").values()
        assert field["path"] == "spec.template.spec.containers[name=proxy]"
        assert field["live"]["image"] == "proxy" and (field["wanted"], field["restored"]) == (None, False)
        assert re.search(r"^Deployment redis +\+ spec.*name=proxy\] .* admission", report["text"], re.MULTILINE)


def test_the_exit_status_follows_what_a_deploy_would_change(
    apply: Apply, edit: Edit, control_plane: ControlPlane, new_namespace: str, tmp_path: Path
) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    kubeconfig, values = tmp_path / "kubeconfig", tmp_path / "variables.json"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    common = {
        "agentsmith_namespace": new_namespace,
        "agentsmith_context": "test",
        "agentsmith_kubeconfig": str(kubeconfig),
        "release_objects": objects,
    }

    def exit_status(**variables: Any) -> int:
        values.write_text(json.dumps({**common, **variables}), encoding="utf-8")
        ended = ansible_playbook("playbooks/drift.yml", "--inventory=inventories/dev", f"--extra-vars=@{values}")
        assert ended.returncode in (0, 2), ended.stdout + ended.stderr
        return ended.returncode

    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    edit("deployments/redis", {"spec": {"template": {"metadata": {"annotations": restarted}}}}, "kubectl-rollout")
    assert exit_status(drift_strict=True) == 0  # ignored by default
    edit("services/redis", {"metadata": {"annotations": {"cloud.google.com/neg": "x"}}}, "glbc")
    assert exit_status() == 0
    assert exit_status(drift_strict=True) == 2
    assert exit_status(drift_strict=True, drift_ignore_managers=["glbc"]) == 0
    edit("deployments/redis", {"spec": {"replicas": 3}}, "kubectl", MERGE, "/scale")
    assert exit_status() == 2
    assert exit_status(drift_ignore_paths=["Deployment/redis:spec.replicas"]) == 0


def test_a_deploy_takes_back_exactly_what_the_report_says(
    apply: Apply, drift: Drift, edit: Edit, new_namespace: str
) -> None:
    apply(a_release(new_namespace))
    edit("deployments/redis", containers(image="redis:8", stdin=True))
    before = fields_of(drift(a_release(new_namespace)), "Deployment/redis")
    apply(a_release(new_namespace))
    after = fields_of(drift(a_release(new_namespace)), "Deployment/redis", "kept")
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
    ended = play(objects, {**options, "namespace": new_namespace}, "-vvvv", action="release_drift_info")
    assert ended.returncode == 0, ended.stdout
    for output in (json.dumps(report), ended.stdout + ended.stderr):
        for value in (wanted, live):
            assert base64.b64encode(value.encode()).decode() not in output
        assert "MARK" not in output


def test_a_cluster_that_does_not_answer_is_unreachable(play: Play) -> None:
    options = {"host": f"https://127.0.0.1:{free_port()}", "api_key": "token", "namespace": "release"}
    ended = play([], options, action="release_drift_info")
    assert ended.returncode == 4, ended.stdout
    assert "does not answer" in ended.stdout
