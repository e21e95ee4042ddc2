# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/prod: what it deploys, and that nobody deploys it with placeholders."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_playbook import ansible_playbook
from kubernetes.utils.quantity import parse_quantity
from network_flows import cells
from network_matrix import PROD, allowed
from production_copy import CHECKOUT, PASSWORD_SOURCE, VAULT_FILE, copy_production

TARGETS = ("prod-eu", "prod-us")


def play(playbook: str, inventory: Path, password: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return ansible_playbook(f"playbooks/{playbook}.yml", "-i", inventory, "--vault-id", f"prod@{password}", *options)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("production") / "inventory"
    copy_production(directory)
    return directory


@pytest.fixture(scope="module")
def rendered(inventory: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is rendered for each target, by kind and name. The Secrets have no values."""
    directory = tmp_path_factory.mktemp("rendered")
    run = play("render", inventory, PASSWORD_SOURCE, "-e", f"render_dir={directory}/{{{{ inventory_hostname }}}}")
    assert run.returncode == 0, run.stdout + run.stderr
    objects = {}
    for target in TARGETS:
        bodies = [yaml.safe_load(path.read_text()) for path in (directory / target).rglob("*.yaml")]
        objects[target] = {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}
    return objects


def test_the_targets_differ_in_their_address_alone(rendered: dict[str, dict[str, Any]]) -> None:
    here, there = (rendered[target] for target in TARGETS)
    assert here.keys() == there.keys()
    assert {key for key in here if here[key] != there[key]} == {
        "Gateway/agentsmith-dispatcher",
        "HTTPRoute/agentsmith-dispatcher",
        "HTTPRoute/agentsmith-redirect",
        "Certificate/agentsmith-dispatcher",
    }


def test_its_network_policies_let_through_what_the_matrix_says(rendered: dict[str, dict[str, Any]]) -> None:
    policies = [body for body in rendered[TARGETS[0]].values() if body["kind"] == "NetworkPolicy"]
    assert cells(policies) == allowed(PROD)


@pytest.mark.parametrize("target", TARGETS)
def test_it_is_hardened(rendered: dict[str, dict[str, Any]], target: str) -> None:
    objects = rendered[target]
    spec = objects["Deployment/agentsmith-dispatcher"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == 2
    assert container["resources"] == {
        "requests": {"cpu": "200m", "memory": "384Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "1000m", "memory": "768Mi", "ephemeral-storage": "256Mi"},
    }
    assert {constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert "PodDisruptionBudget/agentsmith-dispatcher" in objects
    assert objects["Service/agentsmith-dispatcher"]["spec"]["type"] == "ClusterIP"
    listeners = {
        listener["name"]: listener for listener in objects["Gateway/agentsmith-dispatcher"]["spec"]["listeners"]
    }
    route = objects["HTTPRoute/agentsmith-dispatcher"]["spec"]
    assert [parent["sectionName"] for parent in route["parentRefs"]] == ["https"]
    assert listeners["https"]["protocol"] == "HTTPS"
    assert route["hostnames"] == [listeners["https"]["hostname"]]
    assert [match["path"]["value"] for rule in route["rules"] for match in rule["matches"]] == ["/slack"]


@pytest.mark.parametrize("target", TARGETS)
def test_the_quota_says_how_many_jobs_fit(rendered: dict[str, dict[str, Any]], target: str) -> None:
    """Both replicas of the Dispatcher are there twice while it rolls, Redis is not."""
    objects = rendered[target]
    quota = objects["ResourceQuota/agentsmith"]
    job = {"cpu": "250m", "memory": "512Mi"}

    def fitting(dispatchers: int) -> int:
        pods = {"agentsmith-dispatcher": dispatchers, "redis": 1}
        free = [Decimal(quota["spec"]["hard"]["pods"]) - sum(pods.values())]
        for resource in job:
            left = parse_quantity(quota["spec"]["hard"][f"requests.{resource}"])
            for name, number in pods.items():
                (container,) = objects[f"Deployment/{name}"]["spec"]["template"]["spec"]["containers"]
                left -= number * parse_quantity(container["resources"]["requests"][resource])
            free.append(left / parse_quantity(job[resource]))
        return int(min(free))

    assert quota["metadata"]["annotations"] == {
        "agentsmith.platform/jobs": f"{fitting(4)}, and {fitting(2)} while nothing rolls out"
    }
    assert (fitting(4), fitting(2)) == (10, 11)


@pytest.mark.parametrize("target", TARGETS)
def test_images_are_pinned_and_asked_for_at_every_start(rendered: dict[str, dict[str, Any]], target: str) -> None:
    objects = rendered[target]
    for name in ("agentsmith-dispatcher", "redis"):
        (container,) = objects[f"Deployment/{name}"]["spec"]["template"]["spec"]["containers"]
        assert "@sha256:" in container["image"]
        assert container["imagePullPolicy"] == "Always"
    (dispatcher,) = objects["Deployment/agentsmith-dispatcher"]["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in dispatcher["env"]}
    assert "@sha256:" in variables["AGENTSMITH_IMAGE"]
    assert variables["IMAGE_PULL_POLICY"] == "Always"
    for account in ("agentsmith", "default"):
        names = objects[f"ServiceAccount/{account}"]["imagePullSecrets"]
        assert [f"Secret/{entry['name']}" in objects for entry in names] == [True]


def test_images_for_a_mirror(inventory: Path, tmp_path: Path) -> None:
    listed = tmp_path / "images.txt"
    mirror = "mirror.example.com:5000/agentsmith"
    options = ["-e", f"images_file={listed}", "-e", f"agentsmith_registry={mirror}", "-e", "agentsmith_version=2"]
    run = play("images", inventory, PASSWORD_SOURCE, *options)
    assert run.returncode == 0, run.stdout + run.stderr
    images = [line.partition("@sha256:") for line in listed.read_text().splitlines()]
    assert [name for name, _at, digest in images if digest] == [
        f"{mirror}/agentsmith-dispatcher:2",
        f"{mirror}/agentsmith:2-1",
        f"{mirror}/redis:7-alpine",
    ]


def test_placeholders_are_refused_by_name(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("placeholder")
    assert (CHECKOUT / "inventories/prod" / VAULT_FILE).read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    run = play(
        "render", CHECKOUT / "inventories/prod", password, "-e", f"render_dir={tmp_path}/rendered", "--limit", "prod-eu"
    )
    assert run.returncode != 0
    assert not (tmp_path / "rendered").exists()
    for key in ("slack_bot_token", "slack_signing_secret", "anthropic_api_key", "github_token"):
        assert f"secrets_{key} is still the placeholder" in run.stdout
        assert f"Its Vault variable is vault_{key}." in run.stdout
    assert "secrets_registries.registry.example.com.password has a form that is not allowed" in run.stdout
    assert "which are not the placeholder that an inventory came with" in run.stdout


def test_the_digests_that_it_comes_with_are_refused(inventory: Path, tmp_path: Path) -> None:
    zeros = f"prod_agent_digest=sha256:{'0' * 64}"
    options = ["-e", zeros, "-e", f"render_dir={tmp_path}/rendered", "--limit", "prod-eu"]
    assert zeros.replace("=", ": ") in (CHECKOUT / "inventories/prod/group_vars/all/main.yml").read_text()
    run = play("render", inventory, PASSWORD_SOURCE, *options)
    assert run.returncode != 0
    assert "dispatcher_agent_image is 'registry.example.com/agentsmith/agentsmith:be4bffa1-1@sha256:000" in run.stdout
    assert "not the placeholder of zeros" in run.stdout


def test_without_its_password_nothing_of_it_is_read(tmp_path: Path) -> None:
    run = play(
        "render",
        CHECKOUT / "inventories/prod",
        CHECKOUT / "inventories/dev.vault-password",
        "-e",
        f"render_dir={tmp_path}",
    )
    assert run.returncode != 0
    said = " ".join((run.stderr + run.stdout).split())
    assert "inventories/prod/group_vars/all/vault.yml cannot be decrypted: its vault id is prod" in said


def test_no_playbook_and_no_role_knows_an_environment() -> None:
    names = [path.name for path in (CHECKOUT / "inventories").iterdir() if path.is_dir()]
    assert {"dev", "prod"} <= set(names)
    for path in [
        *(CHECKOUT / "roles").rglob("*.yml"),
        *(CHECKOUT / "roles").rglob("*.j2"),
        *(CHECKOUT / "dev/roles").rglob("*.yml"),
        *(CHECKOUT / "dev/roles").rglob("*.j2"),
        *(CHECKOUT / "playbooks").rglob("*.yml"),
    ]:
        lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
        # It makes an environment of the example inventories/prod, whatever the name of the new one
        copies = CHECKOUT / "roles/new_environment" in path.parents
        for name in names:
            assert not [line for line in lines if f"== '{name}'" in line], path
            assert copies or not [line for line in lines if f"inventories/{name}" in line], path
