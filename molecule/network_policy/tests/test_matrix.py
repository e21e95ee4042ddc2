# SPDX-License-Identifier: GPL-3.0-or-later
"""The network lets through exactly the cells of tests/network_matrix.py, by real connections from pods of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from network_flows import cells
from network_matrix import CELLS, DEV, HOME, PROD, allowed

POLICIES = ["default-deny", "agentsmith-dispatcher", "agentsmith-jobs", "redis", "stand-in-slack"]
PRODUCTION = Path(__file__).resolve().parents[3] / "inventories/prod/group_vars/all/main.yml"


@pytest.fixture
def production_options() -> dict[str, Any]:
    """The network of inventories/prod over that of inventories/dev, with an Ingress, whose kind every cluster has."""
    prod = yaml.safe_load(PRODUCTION.read_text(encoding="utf-8"))
    return {
        # The stand-in Slack is the development machine's
        "extra_objects": [],
        "dispatcher_network_policy_extra_egress": [],
        "verify_url": "",
        "agentsmith_public_url": "https://agentsmith.example.com",
        "dispatcher_route": "ingress",
        "dispatcher_service_type": prod["dispatcher_service_type"],
        "dispatcher_network_policy_extra_ingress": [],
        **{name: value for name, value in prod.items() if "network_policy" in name},
    }


def test_exactly_the_cells_of_the_matrix(expect):
    expect(allowed(DEV))


@pytest.fixture
def removed(policies, kubectl, tmp_path) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Remove a policy by hand until the test is over; the others."""
    file = tmp_path / "policy.json"

    def remove(name: str) -> list[dict[str, Any]]:
        (policy,) = (policy for policy in policies if policy["metadata"]["name"] == name)
        labels = policy["metadata"]["labels"]
        metadata = {"name": name, "namespace": HOME, "labels": labels}
        file.write_text(json.dumps({**policy, "metadata": metadata}))
        kubectl(f"-n {HOME} delete networkpolicy %s", name)
        return [other for other in policies if other is not policy]

    yield remove
    kubectl("create -f %s", str(file))


@pytest.mark.parametrize(
    "name", ["default-deny", "agentsmith-dispatcher", "agentsmith-jobs", "redis", "stand-in-slack"]
)
def test_each_policy_makes_a_difference(removed, expect, name):
    without = cells(removed(name))
    assert without != allowed(DEV)
    expect(without)


def test_no_policy_is_left_out(policies):
    assert {policy["metadata"]["name"] for policy in policies} == set(POLICIES)


def test_without_policies_everything_is_answered(kubectl, expect):
    """So what was refused, a policy refused."""
    kubectl(f"-n {HOME} delete networkpolicies --all")
    expect(set(CELLS))


def test_a_deploy_brings_them_back_and_so_do_the_options_of_production(
    playbook, production_options, kubectl, expect, tmp_path
):
    deployed = playbook("playbooks/deploy.yml", "-e", json.dumps(production_options))
    assert deployed.returncode == 0, deployed.output
    # No cert-manager is in this cluster, so a deploy with an issuer is refused. Its policy is that of the manifests
    issuer = {"dispatcher_tls": "issuer", "dispatcher_tls_issuer": {"name": "letsencrypt"}, "render_dir": str(tmp_path)}
    rendered = playbook("playbooks/render.yml", "-e", json.dumps({**production_options, **issuer}))
    assert rendered.returncode == 0, rendered.output
    (solver,) = tmp_path.rglob("*networkpolicy*acme-solver*")
    kubectl("create -f %s", str(solver))
    try:
        expect(allowed(PROD))
    finally:
        kubectl("delete -f %s", str(solver))
