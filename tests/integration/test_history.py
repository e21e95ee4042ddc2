# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of a release, from its first deploy to its teardown, by the playbooks; and the webhook that is told."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from local_webhook import MARKED, Webhook, running_webhook
from release_objects import a_release
from stand_in_kubelet import stand_in_kubelet
from test_kill import a_bad_release, an_upgrade
from test_playbook_requests import pods_run

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / "docs/reference/reports/history.schema.json").read_text(encoding="utf-8"))
NEW_TOKEN = "ghp_MARKEDrotated"  # noqa: S105  a test value
CHECKS = ["redis_rollout", "dispatcher_rollout"]
Run = Callable[..., str]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as server:
        yield server


@pytest.fixture
def run(control_plane: ControlPlane, new_namespace: str, tmp_path: Path, webhook: Webhook) -> Iterator[Run]:
    """Run a playbook with full output: `run("deploy", reason, ends=0, **variables)`; return what it said.

    It fails the test when the webhook's URL or a value of a Secret shows.
    """
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    values = tmp_path / "variables.json"

    def run(playbook: str, reason: str = "", ends: int = 0, **variables: Any) -> str:
        given = {
            "agentsmith_namespace": new_namespace,
            "agentsmith_context": "test",
            "agentsmith_kubeconfig": str(kubeconfig),
            "agentsmith_reason": reason,
            "agentsmith_webhook_url": webhook.url,
            "agentsmith_webhook_type": "generic",
            "verify_only": CHECKS,
            **variables,
        }
        values.write_text(json.dumps(given), encoding="utf-8")
        ended = ansible_playbook(
            f"playbooks/{playbook}.yml", "-vvv", "--diff", "--inventory=inventories/dev", f"--extra-vars=@{values}"
        )
        output = ended.stdout + ended.stderr
        print(output)
        assert ended.returncode == ends
        for secret in (MARKED, "ghp_"):
            assert secret not in output
        return output

    with stand_in_kubelet(control_plane, new_namespace, pods_run):
        yield run


def rotated(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the release with another token."""
    objects = deepcopy(objects)
    for body in objects:
        if body["kind"] == "Secret":
            body["stringData"]["github-token"] = NEW_TOKEN
    return objects


def test_the_history_of_a_release_from_its_first_deploy_to_its_teardown(
    run: Run, control_plane: ControlPlane, new_namespace: str, webhook: Webhook, tmp_path: Path
) -> None:
    first, upgrade = a_release(new_namespace), an_upgrade(new_namespace)
    run("deploy", "OPS-1", release_objects=first)
    run("deploy", "nothing to do", release_objects=first)
    run("deploy", "OPS-2: with ghp_0123456789", ends=2, release_objects=a_bad_release(new_namespace))
    run("deploy", "OPS-3", release_objects=upgrade)
    output = run("rollback", "too far", ends=2, rollback_revision=2)
    assert "Revision 2 (deploy, rolled_back) left no release to go back to" in output
    run("rollback", "OPS-4", rollback_revision=1)
    run("rotate_secrets", "OPS-5", release_objects=rotated(first), rotate_secrets_keys="github-token")
    # Of somebody else, so that the namespace stays
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign"}}
    assert control_plane.request("POST", f"/api/v1/namespaces/{new_namespace}/configmaps", foreign)[0] == 201
    run("teardown", "OPS-6", teardown_confirm=new_namespace)

    file = tmp_path / "history.json"
    output = run("history", history_file=str(file))
    reports = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(reports)
    (report,) = reports.values()
    told = [
        (entry["revision"], entry["action"], entry["outcome"], entry["release"], entry["reason"])
        for entry in report["entries"][::-1]
    ]
    assert told == [
        (1, "deploy", "succeeded", 1, "OPS-1"),
        (2, "deploy", "rolled_back", 1, "OPS-2: with ********"),
        (3, "deploy", "succeeded", 3, "OPS-3"),
        (4, "rollback", "succeeded", 1, "OPS-4"),
        (5, "rotation", "succeeded", 5, "OPS-5"),
        (6, "teardown", "succeeded", 0, "OPS-6"),
    ]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert {entry["commit"] for entry in report["entries"]} == {commit.stdout.strip()}
    by_revision = {entry["revision"]: entry for entry in report["entries"]}
    assert "InvalidImageName" in by_revision[2]["cause"]
    assert {"kind": "NetworkPolicy", "name": "redis", "result": "deleted"} in by_revision[3]["changes"]
    changes = {(each["kind"], each["name"], each["result"]) for each in by_revision[5]["changes"]}
    secret, dispatcher = ("Secret", "agentsmith-secrets"), ("Deployment", "agentsmith-dispatcher")
    assert changes == {(*secret, "updated"), (*dispatcher, "updated")}
    assert (*dispatcher, "deleted") in {tuple(each.values()) for each in by_revision[6]["changes"]}
    assert "REVISION" in output and "Revision 2 failed: " in output

    # Names of what was given with -e, and no value
    assert "release_objects" in by_revision[1]["extra_variables"] and "agentsmith_namespace" in output
    assert all("agentsmith_reason" not in entry["extra_variables"] for entry in report["entries"])
    assert all(entry["tags"] == entry["skip_tags"] == [] for entry in report["entries"])
    assert webhook.url not in json.dumps(reports) and str(tmp_path) not in json.dumps(reports)
    assert {"rollback_revision"} == set(by_revision[4]["extra_variables"]) - set(by_revision[6]["extra_variables"])
    assert (by_revision[4]["from_release"], by_revision[4]["to_release"]) == (3, 1)
    assert "rollback from 3 to 1" in output

    messages = [body for _path, _type, body in webhook.got]
    assert [message["entry"] for message in messages] == report["entries"][::-1]
    assert {message["namespace"] for message in messages} == {new_namespace}
    assert "ghp_" not in json.dumps([reports, messages])
    left = control_plane.get(f"/api/v1/namespaces/{new_namespace}/secrets/agentsmith-release")
    assert left["data"].keys() == {"history"} and not left["metadata"].get("labels")


@pytest.mark.parametrize("fault", ["dead", "silent", "refusing", "no address", "no type", "undefined"])
def test_a_webhook_that_is_no_good_fails_nothing(run: Run, new_namespace: str, webhook: Webhook, fault: str) -> None:
    given: dict[str, Any] = {}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dead = f"http://127.0.0.1:9/{MARKED}"
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}/{MARKED}"
        webhook.status = 500 if fault == "refusing" else 200
        urls = {"dead": dead, "silent": hanging, "no address": MARKED, "undefined": "{{ vault_MARKED }}"}
        if fault in urls:
            given["agentsmith_webhook_url"] = urls[fault]
        if fault == "no type":
            given["agentsmith_webhook_type"] = ["slack"]
        output = run("deploy", release_objects=a_release(new_namespace), **given)
    assert "agentsmith_webhook_" in output
    assert len(webhook.got) == (fault == "refusing")
