# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks/deploy.yml says of a deploy that fails: its cause once, what to do, and what runs now."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from release_objects import a_release
from stand_in_kubelet import ready, stand_in_kubelet, waiting

BAD_IMAGE = "registry.example.com/no:such:image"
CAUSE = f'couldn\'t parse image name "{BAD_IMAGE}"'
# What verify asks of pods that are none
CHECKS = ["redis_rollout"]
Deploy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def deploy(control_plane: ControlPlane, new_namespace: str, tmp_path: Path) -> Deploy:
    """Run the playbook with these objects."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")

    def run(objects: list[dict[str, Any]], *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        values = tmp_path / "variables.json"
        standard = {
            "agentsmith_namespace": new_namespace,
            "agentsmith_context": "test",
            "agentsmith_kubeconfig": str(kubeconfig),
            "verify_only": CHECKS,
        }
        values.write_text(json.dumps({**standard, "release_objects": objects, **variables}), encoding="utf-8")
        return ansible_playbook(
            "playbooks/deploy.yml", "--inventory=inventories/dev", f"--extra-vars=@{values}", *options
        )

    return run


def pods_run(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a pod, which runs unless its image is the bad one."""
    container = pod["spec"]["containers"][0]
    return waiting("InvalidImageName", CAUSE, container["name"]) if container["image"] == BAD_IMAGE else ready()


def with_image(objects: list[dict[str, Any]], image: str) -> list[dict[str, Any]]:
    """Return the objects with another image of Redis, labelled as its role labels them."""
    (deployment,) = [body for body in objects if body["kind"] == "Deployment" and body["metadata"]["name"] == "redis"]
    template = deployment["spec"]["template"]
    template["spec"]["containers"][0]["image"] = image
    for metadata in (deployment["metadata"], template["metadata"]):
        metadata["labels"]["app.kubernetes.io/component"] = "redis"
    return objects


def told(ended: subprocess.CompletedProcess[str]) -> str:
    """Return what a deploy that failed has said."""
    assert ended.returncode == 2, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_a_deploy_that_is_undone(deploy: Deploy, control_plane: ControlPlane, new_namespace: str) -> None:
    with stand_in_kubelet(control_plane, new_namespace, pods_run):
        good = deploy(with_image(a_release(new_namespace), "redis:7"))
        assert good.returncode == 0, good.stdout + good.stderr
        text = told(deploy(with_image(a_release(new_namespace), BAD_IMAGE)))
    # In the message, and in the line that Ansible gives as the result
    assert text.count("will not become ready: InvalidImageName") == 2
    assert text.count("What to do: This is no reference of an image. Correct redis_image") == 1
    assert text.count("container redis waiting (InvalidImageName)") == 1
    assert text.count("The last good release, recorded at") == 1
    assert "result: unchanged" not in text
    message, _end = text[text.index("TASK [Fail with the cause]") :].split("Origin: ")
    assert message.index("will not become ready") < message.index("What to do") < message.index("is back and works")


def test_the_first_deploy_that_fails(deploy: Deploy, control_plane: ControlPlane, new_namespace: str) -> None:
    with stand_in_kubelet(control_plane, new_namespace, pods_run):
        text = told(deploy(with_image(a_release(new_namespace), BAD_IMAGE)))
    assert text.count("What to do: ") == 1
    assert text.count("No good release is recorded yet, so there is nothing to roll back to.") == 1


def test_a_deploy_whose_verification_fails(deploy: Deploy, control_plane: ControlPlane, new_namespace: str) -> None:
    with stand_in_kubelet(control_plane, new_namespace, pods_run):
        assert deploy(with_image(a_release(new_namespace), "redis:7")).returncode == 0
        text = told(deploy(with_image(a_release(new_namespace), "redis:8"), verify_only=["pod_security"]))
    table, end = text.split("TASK [Fail with the cause]")
    assert "pod_security" in table and "1 of 1 checks failed" not in table
    assert end.count("- pod_security: ") == 1
    assert end.count("The last good release, recorded at") == 1


def test_a_deploy_that_was_refused(deploy: Deploy, new_namespace: str) -> None:
    """Before its first write there is nothing to undo."""
    objects = [body for body in a_release(new_namespace) if body["kind"] != "Secret"]
    text = told(deploy(objects))
    assert text.count("Create the Secret first") == 1
    assert text.count("There was nothing to undo: what ran before is as it was.") == 1
    assert "TASK [Restore the last good release]" in text and "changed: [" not in text


def test_an_api_server_that_does_not_let_us_in(
    deploy: Deploy, control_plane: ControlPlane, tmp_path: Path, new_namespace: str
) -> None:
    stranger = tmp_path / "stranger"
    stranger.write_text(control_plane.kubeconfig(token="unknown"), encoding="utf-8")  # noqa: S106  no token
    text = told(deploy(a_release(new_namespace), agentsmith_kubeconfig=str(stranger)))
    assert text.count("the credentials") == 2
    assert text.count("There was nothing to undo: what ran before is as it was.") == 1


def test_what_no_task_foresaw_is_undone_too(deploy: Deploy, control_plane: ControlPlane, new_namespace: str) -> None:
    with stand_in_kubelet(control_plane, new_namespace, pods_run):
        assert deploy(with_image(a_release(new_namespace), "redis:7")).returncode == 0
        # The playbook sets it for the verification, and what comes with -e wins
        text = told(deploy(with_image(a_release(new_namespace), "redis:8"), verify_app="{{ 1 / 0 }}"))
    assert text.count("The last good release, recorded at") == 1


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"verify_timeout": "soon"}, "'verify_timeout' is of type str"),
        ({"verify_url": "localhost:30080"}, "verify_url is 'localhost:30080'. Allowed: an https:// or http:// address"),
        ({"verify_only": ["redis_rollout", "redis_role"]}, "verify_only has redis_role. Allowed: dispatcher, redis, "),
    ],
    ids=str,
)
def test_a_wrong_variable_of_the_verification_changes_nothing(
    deploy: Deploy, control_plane: ControlPlane, new_namespace: str, variables: dict[str, Any], fault: str
) -> None:
    text = told(deploy(a_release(new_namespace), **variables))
    assert "The variables of the role verify are not usable for the target dev; nothing was changed." in text
    assert fault in text
    assert "TASK [Lock the release and apply it]" not in text
    assert control_plane.get(f"/apis/apps/v1/namespaces/{new_namespace}/deployments/redis") is None


@pytest.mark.parametrize(
    ("playbook", "change"),
    [("rollback", "Restore the previous release"), ("rotate_secrets", "Rotate the keys")],
)
def test_nor_do_the_other_playbooks_that_verify_what_they_change(playbook: str, change: str) -> None:
    ended = ansible_playbook(
        f"playbooks/{playbook}.yml", "--inventory=inventories/dev", "--extra-vars=verify_timeout=soon"
    )
    assert "'verify_timeout' is of type str" in told(ended)
    assert f"TASK [{change}]" not in ended.stdout
