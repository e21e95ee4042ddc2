# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/dev with dev_slack_com: for the Dispatcher, and for nobody else, slack.com is the stand-in Slack."""

from __future__ import annotations

import ipaddress
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.dev.plugins.plugin_utils.server_certificate import Files, issue
from ansible_playbook import ansible_playbook
from network_flows import Peer, allows, cells
from network_matrix import DEV, allowed

HOME = "agentsmith"
FIRST_ADDRESSES = list(ipaddress.ip_network("10.96.0.0/16").hosts())[:256]
"""Of kind's Service addresses, those that Kubernetes gives to no Service by itself (at most 256 of a large range)."""

Objects = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What playbooks/local_cluster.yml makes, elsewhere than in this checkout."""
    files = Files(tmp_path_factory.mktemp("state") / "slack.com")
    issue(files, "slack.com", datetime.now(UTC))
    return files


def render(directory: Path, certificate: Files, *options: str) -> subprocess.CompletedProcess[str]:
    return ansible_playbook(
        "playbooks/render.yml",
        "-i",
        "inventories/dev",
        "-e",
        f"render_dir={directory}",
        "-e",
        f"dev_slack_com_directory={certificate.directory}",
        *options,
    )


def objects(directory: Path, certificate: Files, *options: str) -> Objects:
    """What is rendered, by kind and name. The Secrets have no values, and no key is in the output."""
    run = render(directory, certificate, "--diff", "-vvv", *options)
    assert run.returncode == 0, run.stdout + run.stderr
    for line in certificate.key.read_text().splitlines()[1:-1]:
        assert line not in run.stdout + run.stderr
    bodies = [yaml.safe_load(path.read_text()) for path in directory.rglob("*.yaml")]
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}


@pytest.fixture(scope="module")
def without(certificate: Files, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return objects(tmp_path_factory.mktemp("without"), certificate)


@pytest.fixture(scope="module")
def through_slack_com(certificate: Files, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return objects(tmp_path_factory.mktemp("with"), certificate, "-e", "dev_slack_com=true")


def pod(rendered: Objects, name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The pod of a Deployment, its container, and the container's environment."""
    spec = rendered[f"Deployment/{name}"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container, {entry["name"]: entry.get("value", "") for entry in container["env"]}


def test_its_network_policies_let_through_what_the_matrix_says(without: Objects) -> None:
    assert cells([body for body in without.values() if body["kind"] == "NetworkPolicy"]) == allowed(DEV)


@pytest.mark.parametrize(
    ("option", "port"), [("dispatcher_service_type=ClusterIP", 8080), ("dispatcher_container_port=9090", 9090)]
)
def test_its_slack_reaches_the_dispatcher_whatever_its_service_is(
    certificate: Files, tmp_path: Path, option: str, port: int
) -> None:
    rendered = objects(tmp_path, certificate, "-e", option)
    slack = Peer("slack", "10.244.0.20", HOME, {"app": "stand-in-slack"})
    dispatcher = Peer("dispatcher", "10.244.0.10", HOME, {"app": "agentsmith-dispatcher"})
    policies = [body for body in rendered.values() if body["kind"] == "NetworkPolicy"]
    assert allows(policies, slack, dispatcher, port)


def test_without_the_switch_slack_com_is_slack_com(without: Objects, through_slack_com: Objects) -> None:
    spec, _container, environment = pod(without, "agentsmith-dispatcher")
    assert "hostAliases" not in spec
    assert "SSL_CERT_FILE" not in environment
    assert environment["STAND_IN_SLACK_API_URL"] == "http://stand-in-slack/api"
    _spec, container, environment = pod(without, "stand-in-slack")
    assert [port["containerPort"] for port in container["ports"]] == [8081]
    assert environment.keys() == {"STAND_IN_DISPATCHER_URL", "SLACK_SIGNING_SECRET_FILE"}
    added = {key for key in through_slack_com.keys() - without.keys() if not key.startswith("ConfigMap/agentsmith-ca-")}
    assert added == {"Secret/stand-in-slack-tls", "Service/slack-com", "NetworkPolicy/slack-com"}
    assert without.keys() < through_slack_com.keys()


def test_with_the_switch_slack_com_leads_to_the_stand_in_slack(
    through_slack_com: Objects, without: Objects, certificate: Files
) -> None:
    service = through_slack_com["Service/slack-com"]["spec"]
    assert ipaddress.ip_address(service["clusterIP"]) in FIRST_ADDRESSES
    labels = through_slack_com["Deployment/stand-in-slack"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    (port,) = service["ports"]
    _spec, slack, environment = pod(through_slack_com, "stand-in-slack")
    assert (port["port"], port["targetPort"]) == (443, 8443)
    assert [port["containerPort"] for port in slack["ports"]] == [8081, 8443]
    assert environment["STAND_IN_SLACK_URLS"] == "http://+:8081;https://+:8443"

    spec, _container, environment = pod(through_slack_com, "agentsmith-dispatcher")
    assert spec["hostAliases"] == [{"ip": service["clusterIP"], "hostnames": ["slack.com"]}]
    assert environment["STAND_IN_SLACK_API_URL"] == "https://slack.com/api"
    (ca,) = (body for key, body in through_slack_com.items() if key.startswith("ConfigMap/agentsmith-ca-"))
    assert ca["data"]["ca.crt"].strip() == certificate.authority.read_text().strip()
    assert environment["SSL_CERT_FILE"] == "/etc/agentsmith-ca/ca.crt"
    # Agents post nothing in Slack
    assert through_slack_com["NetworkPolicy/agentsmith-jobs"] == without["NetworkPolicy/agentsmith-jobs"]


def test_the_certificate_is_where_the_stand_in_slack_looks_for_it(through_slack_com: Objects) -> None:
    secret = through_slack_com["Secret/stand-in-slack-tls"]
    # Which has the keys tls.crt and tls.key, or the API server refuses it
    assert secret["type"] == "kubernetes.io/tls"
    spec, container, environment = pod(through_slack_com, "stand-in-slack")
    (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] == "tls")
    (volume,) = (volume for volume in spec["volumes"] if volume["name"] == "tls")
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    for variable, key in (("CERTIFICATE", "tls.crt"), ("KEY", "tls.key")):
        assert environment[f"STAND_IN_SLACK_{variable}_FILE"] == f"{mount['mountPath']}/{key}"


@pytest.mark.parametrize(("switch", "port"), [(False, 8081), (True, 8443)])
def test_the_dispatcher_alone_reaches_it(without: Objects, through_slack_com: Objects, switch: bool, port: int) -> None:
    rendered = through_slack_com if switch else without
    policies = [body for body in rendered.values() if body["kind"] == "NetworkPolicy"]
    slack = Peer("slack", "10.244.0.20", HOME, {"app": "stand-in-slack"})
    dispatcher = Peer("dispatcher", "10.244.0.10", HOME, {"app": "agentsmith-dispatcher"})
    job = Peer("job", "10.244.0.12", HOME, {"app": "agentsmith", "job-id": "0123456789ab"})
    stranger = Peer("stranger", "10.244.1.10", "elsewhere", {"app": "agentsmith-dispatcher"})
    assert allows(policies, dispatcher, slack, port)
    assert not allows(policies, job, slack, port)
    assert not any(allows(policies, source, slack, 8443) for source in (job, stranger))
    assert allows(policies, slack, dispatcher, 8080)


@pytest.mark.parametrize("missing", ["ca.crt", "tls.crt", "tls.key"])
def test_what_makes_a_certificate_that_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    files = Files(tmp_path / "state")
    issue(files, "slack.com", datetime.now(UTC))
    (files.directory / missing).unlink()
    run = render(tmp_path / "rendered", files, "-e", "dev_slack_com=true")
    assert run.returncode != 0
    message = (
        f"dev_slack_com is true, but {files.directory} lacks the certificate for slack.com. Run this first, "
        "with the same inventory: ansible-playbook playbooks/local_cluster.yml"
    )
    assert message in " ".join(run.stdout.split())
    assert not (tmp_path / "rendered").exists()
