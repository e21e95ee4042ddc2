# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/render.yml writes what deploy.yml would apply, to a directory of the target's own.

And what deploy.yml checks of a release as a whole, before it looks for a cluster.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook
from required_variables import REQUIRED


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Two targets."""
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": {"one": {}, "two": {}}, "vars": REQUIRED}}))
    return path


def render(inventory: Path, *options: str, playbook: str = "render") -> subprocess.CompletedProcess[str]:
    return ansible_playbook(f"playbooks/{playbook}.yml", "-i", inventory, *options)


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_writes_the_release_without_a_secret(inventory: Path, tmp_path: Path) -> None:
    result = render(inventory, "-e", f"render_dir={tmp_path}/{{{{ inventory_hostname }}}}", "--diff", "-vvv")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "MARKED" not in result.stdout + result.stderr
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert files(tmp_path / "one") == {
        "00-namespace-agentsmith.yaml",
        "Kustomization",
        "configmap-agentsmith-config.yaml",
        "deployment-agentsmith-dispatcher.yaml",
        "deployment-redis.yaml",
        "limitrange-agentsmith.yaml",
        "networkpolicy-agentsmith-dispatcher.yaml",
        "networkpolicy-agentsmith-jobs.yaml",
        "networkpolicy-default-deny.yaml",
        "networkpolicy-redis.yaml",
        "resourcequota-agentsmith.yaml",
        "role-agentsmith-job-manager.yaml",
        "rolebinding-agentsmith-job-manager.yaml",
        "secrets/secret-agentsmith-secrets.yaml",
        "service-agentsmith-dispatcher.yaml",
        "service-redis.yaml",
        "serviceaccount-agentsmith.yaml",
        "serviceaccount-default.yaml",
        "serviceaccount-redis.yaml",
    }

    options = ["--limit", "one", "-e", f"render_dir={tmp_path}/one"]
    partly = render(inventory, *options, "--tags", "redis", "-e", "redis_maxmemory=100mb")
    assert partly.returncode == 0, partly.stdout + partly.stderr
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert "100mb" in (tmp_path / "one/deployment-redis.yaml").read_text()
    assert (tmp_path / "one/Kustomization").read_text() == (tmp_path / "two/Kustomization").read_text()

    whole = render(inventory, *options, "-e", "namespace_create=false")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert files(tmp_path / "two") - files(tmp_path / "one") == {"00-namespace-agentsmith.yaml"}


def test_parts_can_be_left_out_by_their_tags(inventory: Path, tmp_path: Path) -> None:
    whole, less = tmp_path / "whole", tmp_path / "less"
    for directory, options in ((whole, []), (less, ["--skip-tags", "redis,quota"])):
        result = render(inventory, "--limit", "one", "-e", f"render_dir={directory}", *options)
        assert result.returncode == 0, result.stdout + result.stderr
    assert files(whole) - files(less) == {
        "deployment-redis.yaml",
        "limitrange-agentsmith.yaml",
        "networkpolicy-redis.yaml",
        "resourcequota-agentsmith.yaml",
        "service-redis.yaml",
        "serviceaccount-redis.yaml",
    }
    assert files(less) < files(whole)


def test_the_parts_are_listed_as_tags(inventory: Path) -> None:
    result = render(inventory, "--list-tags", playbook="deploy")
    assert (
        "TASK TAGS: [always, config, dispatcher, extra, job_policy, monitoring, namespace, quota, rbac, redis, "
        "secrets]" in result.stdout
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "render_dir is not set. It names the directory"),
        (["-e", "render_dir="], "render_dir is not set"),
        (["-e", "render_dir={directory}"], "2 targets would write to the same directory"),
    ],
)
def test_refuses_a_directory_that_is_none(inventory: Path, tmp_path: Path, options: list[str], message: str) -> None:
    directory = tmp_path / "rendered"
    result = render(inventory, *(option.format(directory=directory) for option in options))
    assert result.returncode != 0
    assert message in " ".join(result.stdout.split())
    assert not directory.exists()


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ([], {"github-token", "anthropic-api-key"}),
        (["-e", "vault_github_token=MARKED", "-e", "vault_anthropic_api_key=MARKED"], set()),
    ],
)
def test_deploy_asks_the_secret_for_the_key_that_is_switched_on(
    inventory: Path, tmp_path: Path, options: list[str], faults: set[str]
) -> None:
    nowhere = ["-e", f"agentsmith_kubeconfig={tmp_path}/nowhere", "-e", "dispatcher_anthropic_api_key=true"]
    result = render(inventory, "--limit", "one", *nowhere, *options, playbook="deploy")
    assert result.returncode != 0
    message = " ".join((result.stdout + result.stderr).split())
    assert {key for key in ("github-token", "anthropic-api-key") if f"it has no {key}" in message} == faults
    assert ("set vault_anthropic_api_key. Needed by dispatcher_anthropic_api_key: true." in message) == bool(faults)
    # Without a fault the next thing is the cluster, which is not there
    assert ("nowhere" in message) == (not faults)
    assert "MARKED" not in message


OVERLAYS = ("-e", "render_layout=overlays")


def test_a_base_with_an_overlay_for_each_target(inventory: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(inventory.read_text())
    content["all"]["hosts"]["two"] = {"redis_maxmemory": "100mb"}
    inventory.write_text(yaml.safe_dump(content))
    out = tmp_path / "out"
    result = render(inventory, *OVERLAYS, "-e", f"render_dir={out}")
    assert result.returncode == 0, result.stdout + result.stderr
    patches = {"patch-deployment-redis.yaml"}
    assert files(out / "overlays/one") == {"Kustomization", "secrets/secret-agentsmith-secrets.yaml"} | patches
    assert files(out / "overlays/two") == files(out / "overlays/one")
    assert "100mb" in (out / "overlays/two/patch-deployment-redis.yaml").read_text()
    assert "MARKED" not in "".join(path.read_text() for path in out.rglob("*") if path.is_file())
    before = files(out)

    for options in (("--limit", "one"), ("--tags", "redis"), ("-e", "redis_maxmemory=lots")):
        refused = render(inventory, *OVERLAYS, "-e", f"render_dir={out}", *options)
        assert refused.returncode == 2, refused.stdout
        assert files(out) == before
    flat = render(inventory, "--limit", "one", "-e", f"render_dir={out}")
    assert flat.returncode == 0, flat.stdout + flat.stderr
    assert not {path for path in files(out) if path.startswith(("base/", "overlays/"))}


def test_a_layout_that_does_not_exist(inventory: Path, tmp_path: Path) -> None:
    result = render(inventory, "-e", "render_layout=tree", "-e", f"render_dir={tmp_path}/out")
    assert result.returncode == 2
    assert "render_layout is 'tree'. Allowed: flat, overlays." in result.stdout
