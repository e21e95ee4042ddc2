# SPDX-License-Identifier: GPL-3.0-or-later
"""Production on a cluster: both targets of one run, by digest from a registry with a password, every way in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from certificate_authority import Issued, issue
from conftest import BIN, CHECKOUT, Run
from cryptography import x509

NAMESPACES = {"prod-eu": "agentsmith-eu", "prod-us": "agentsmith-us"}
TENANT = "agentsmith-tenant"
JOB = "agentsmith-00000000000"
HOST = "agentsmith.eu.example.com"
TLS = ["--limit", "prod-eu", "-e", "dispatcher_tls=secret", "-e", "dispatcher_tls_secret_name=company-tls"]


@pytest.fixture(scope="session")
def play() -> Callable[..., Run]:
    """Run a playbook on the copy of inventories/prod that prepare.yml made."""

    def run(name: str, *arguments: str) -> Run:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "K8S_AUTH_"))}
        command = [BIN / "ansible-playbook", f"playbooks/{name}.yml", "-i", ".local/prod/inventory"]
        command += ["-e", "@molecule/target.yml", "--vault-id", "prod@molecule/prod/vault-password", *arguments]
        started = datetime.now(UTC)
        finished = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=inherited,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
        )
        return Run(finished.returncode, finished.stdout, (datetime.now(UTC) - started).total_seconds())

    return run


@pytest.mark.parametrize("namespace", NAMESPACES.values())
def test_two_pods_are_ready_on_as_many_nodes_as_there_are(get, kubectl, namespace):
    spec = get("deployment/agentsmith-dispatcher", namespace)["spec"]["template"]["spec"]
    pods = [pod for pod in get("pods", namespace) if pod["metadata"]["labels"].get("app") == "agentsmith-dispatcher"]
    assert [pod["status"]["containerStatuses"][0]["ready"] for pod in pods] == [True, True]
    nodes = json.loads(kubectl("get nodes -o json"))["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == min(len(nodes), 2)
    # On one node the spread is a wish, or the second pod would wait forever
    assert {entry["whenUnsatisfiable"] for entry in spec["topologySpreadConstraints"]} == {"ScheduleAnyway"}
    budget = get("poddisruptionbudget/agentsmith-dispatcher", namespace)
    assert budget["status"]["disruptionsAllowed"] == 1


@pytest.mark.parametrize("namespace", NAMESPACES.values())
def test_images_are_pulled_by_digest_with_a_password(get, kubectl, namespace):
    for pod in get("pods", namespace):
        (container,) = pod["spec"]["containers"]
        assert container["image"].startswith("localhost:5000/")
        assert "@sha256:" in container["image"]
        assert container["imagePullPolicy"] == "Always"
        assert pod["spec"]["imagePullSecrets"] == [{"name": "agentsmith-registries"}]
    # What the app creates for a Job: nothing but an image
    job = kubectl(
        "-n %s create job probe --image=localhost:5000/x@sha256:%s --dry-run=server -o json", namespace, "a" * 64
    )
    assert "imagePullSecrets" not in json.loads(job)["spec"]["template"]["spec"]
    pod = kubectl("-n %s run probe --image=localhost:5000/x@sha256:%s --dry-run=server -o json", namespace, "a" * 64)
    assert json.loads(pod)["spec"]["imagePullSecrets"] == [{"name": "agentsmith-registries"}]


def test_ingress_with_the_certificate_of_the_vault_file(get):
    ingress = get("ingress/agentsmith-dispatcher", "agentsmith-eu")["spec"]
    assert ingress["ingressClassName"] == "example"
    assert ingress["tls"] == [{"hosts": [HOST], "secretName": "agentsmith-tls"}]
    assert get("secret/agentsmith-tls", "agentsmith-eu")["type"] == "kubernetes.io/tls"


def test_gateway_with_the_certificate_of_an_issuer(get):
    http, https = get("gateway/agentsmith-dispatcher", "agentsmith-us")["spec"]["listeners"]
    redirect = get("httproute/agentsmith-redirect", "agentsmith-us")["spec"]
    route = get("httproute/agentsmith-dispatcher", "agentsmith-us")["spec"]
    certificate = get("certificate/agentsmith-dispatcher", "agentsmith-us")["spec"]
    assert [entry["name"] for entry in https["tls"]["certificateRefs"]] == [certificate["secretName"]]
    assert [entry["sectionName"] for entry in route["parentRefs"] + redirect["parentRefs"]] == ["https", "http"]
    hosts = {http["hostname"], https["hostname"], *route["hostnames"], *redirect["hostnames"], *certificate["dnsNames"]}
    assert hosts == {"agentsmith.us.example.com"}
    assert certificate["issuerRef"]["name"] == "letsencrypt-prod"


def test_verify_is_green_for_both(play):
    # Nobody serves the Ingress here, and the address is an example
    run = play("verify", "-e", "verify_public_url=")
    assert run.returncode == 0, run.output
    for target in NAMESPACES:
        assert f"ok: [{target}]" in run.output


def test_targets_after_one_that_fails_are_left_alone(play):
    broken = "{{ 'lots' if inventory_hostname == 'prod-eu' else '128mb' }}"
    values = json.dumps({"deploy_serial": 1, "redis_maxmemory": broken})
    run = play("deploy", "-e", values, "--check")
    assert run.returncode != 0
    assert "redis_maxmemory is 'lots'" in run.output
    assert "[prod-us]" not in run.output


def make_tls_secret(kubectl, directory: Path, server: Issued) -> None:
    (directory / "tls.crt").write_text(server.pem)
    (directory / "tls.key").write_text(server.key_pem())
    kubectl("-n agentsmith-eu delete secret company-tls --ignore-not-found")
    kubectl(
        "-n agentsmith-eu create secret tls company-tls --cert=%s --key=%s",
        str(directory / "tls.crt"),
        str(directory / "tls.key"),
    )


def test_a_secret_of_others_is_checked_and_then_used(play, kubectl, get, tmp_path):
    now = datetime.now(UTC)
    root = issue("root", now=now)
    ingress = get("ingress/agentsmith-dispatcher", "agentsmith-eu")
    kubectl("-n agentsmith-eu delete secret company-tls --ignore-not-found")
    missing = play("deploy", *TLS)
    assert missing.returncode != 0
    assert "agentsmith-eu/company-tls, which dispatcher_tls_secret_name names, does not exist" in missing.output

    make_tls_secret(
        kubectl, tmp_path, issue("server", root, (x509.DNSName("other.example.com"),), now=now, days=(-9, -1))
    )
    wrong = play("deploy", *TLS)
    assert wrong.returncode != 0
    assert f"its tls.crt is for other.example.com, not for {HOST}" in wrong.output
    assert "its tls.crt has expired on" in wrong.output
    assert get("ingress/agentsmith-dispatcher", "agentsmith-eu") == ingress, "nothing was applied"

    make_tls_secret(kubectl, tmp_path, issue("server", root, (x509.DNSName(HOST),), now=now, days=(-1, 20)))
    try:
        run = play("deploy", *TLS)
        assert run.returncode == 0, run.output
        assert "its tls.crt expires on" in run.output
        assert f"https://{HOST}/slack/interact" in run.output
        changed = get("ingress/agentsmith-dispatcher", "agentsmith-eu")["spec"]
        assert changed["tls"] == [{"hosts": [HOST], "secretName": "company-tls"}]
        assert kubectl("-n agentsmith-eu get secret agentsmith-tls --ignore-not-found") == "", "pruned"
        assert kubectl("-n agentsmith-eu get secret company-tls -o name") == "secret/company-tls", "not ours to prune"
    finally:
        restored = play("deploy", "--limit", "prod-eu")
        kubectl("-n agentsmith-eu delete secret company-tls")
    assert restored.returncode == 0, restored.output


def test_what_is_switched_off_is_removed(play, kubectl):
    kinds = "ingress,httproute,gateway,certificate,poddisruptionbudget,resourcequota,limitrange,networkpolicy"
    off = {
        "dispatcher_route": "none",
        "dispatcher_tls": "none",
        "dispatcher_gateway_class": "",
        "dispatcher_pod_disruption_budget": False,
        "quota_enabled": False,
        "quota_limit_range_enabled": False,
        "namespace_default_deny": False,
        "dispatcher_network_policy_enabled": False,
        "redis_network_policy_enabled": False,
    }
    for namespace in NAMESPACES.values():
        assert kubectl("-n %s get %s -o name", namespace, kinds).count("\n") >= 7, "they were there"
    try:
        run = play("deploy", "-e", json.dumps(off))
        assert run.returncode == 0, run.output
        for namespace in NAMESPACES.values():
            assert kubectl("-n %s get %s -o name", namespace, kinds) == ""
    finally:
        restored = play("deploy")
    assert restored.returncode == 0, restored.output


def a_job(number: int, image: str) -> dict[str, Any]:
    """Return a Job as the Dispatcher makes it, but for what its container does."""
    name = f"{JOB}{number}"
    labels = {"app": "agentsmith", "job-id": name.removeprefix("agentsmith-")}
    container = {
        "name": "agentsmith",
        "image": image,
        "imagePullPolicy": "Always",
        "command": ["sh", "-c", "exec sleep 600"],
        "args": [f"fix #{number} in web"],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}},
    }
    pod = {"restartPolicy": "Never", "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {**labels, "platform": "slack", "project": "web"}},
        "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": 300, "template": template},
    }


def test_the_quota_lets_n_jobs_run_and_status_says_why_the_next_one_waits(play, kubectl, get, tmp_path):
    """N is `quota_jobs`, two here; the Jobs request what the app gives them.

    Two it is at rest as well: the Dispatchers of this cluster are small, and the room to roll them takes no Job.
    """
    run = play("deploy", "--limit", "prod-eu", "-e", "quota_jobs=2")
    assert run.returncode == 0, run.output
    quota = get("resourcequota/agentsmith", "agentsmith-eu")
    assert quota["metadata"]["annotations"]["agentsmith.platform/jobs"] == "2"
    (container,) = get("deployment/redis", "agentsmith-eu")["spec"]["template"]["spec"]["containers"]
    try:
        for number in (1, 2, 3):
            manifest = tmp_path / "job.json"
            manifest.write_text(json.dumps(a_job(number, container["image"])))
            kubectl("-n agentsmith-eu create -f %s", str(manifest))
            if number < 3:
                kubectl("-n agentsmith-eu wait --for=jsonpath={.status.ready}=1 --timeout=60s job/%s", f"{JOB}{number}")
        deadline = time.monotonic() + 60
        while "exceeded quota" not in kubectl("-n agentsmith-eu events --for job/%s", f"{JOB}3"):
            assert time.monotonic() < deadline, "the third Job is not refused"
            time.sleep(0.5)
        status = play("status", "--limit", "prod-eu")
        assert status.returncode == 0, status.output
        for number in (1, 2):
            assert re.search(rf"{JOB}{number} +running .* fix #{number} in web", status.output), status.output
        assert re.search(rf"{JOB}3 +waiting .* fix #3 in web +quota: ", status.output), status.output
        # A quota that is used up undoes no deploy
        verified = play("verify", "--limit", "prod-eu", "-e", '{"verify_only": ["job_admission"]}')
        assert verified.returncode == 0, verified.output
        assert re.search(r"\bjob_admission +warning\b", verified.output), verified.output
    finally:
        kubectl("-n agentsmith-eu delete job -l app=agentsmith,job-id --ignore-not-found")
        restored = play("deploy", "--limit", "prod-eu")
    assert restored.returncode == 0, restored.output


@pytest.fixture
def deployer(kubectl, tmp_path) -> Iterator[list[str]]:
    """Arguments to deploy prod-eu to a namespace of others, by the documented Role and nothing else."""
    kubectl("create namespace %s", TENANT)
    try:
        kubectl("-n %s apply -f %s", TENANT, str(CHECKOUT / "docs/how-to/deployer-role.yml"))
        kubectl("-n %s create serviceaccount deployer", TENANT)
        kubectl(
            "-n %s create rolebinding deployer --role=agentsmith-deployer --serviceaccount=%s:deployer", TENANT, TENANT
        )
        view = json.loads(kubectl("config view --raw --minify -o json"))
        token = kubectl("-n %s create token deployer", TENANT)
        view["users"] = [{"name": "deployer", "user": {"token": token}}]
        view["contexts"] = [{"name": TENANT, "context": {"cluster": view["clusters"][0]["name"], "user": "deployer"}}]
        view["current-context"] = TENANT
        kubeconfig = tmp_path / "deployer.kubeconfig"
        kubeconfig.write_text(json.dumps(view))
        kubeconfig.chmod(0o600)
        facts = {"agentsmith_namespace": TENANT, "agentsmith_context": TENANT, "agentsmith_kubeconfig": str(kubeconfig)}
        yield ["--limit", "prod-eu", "-e", json.dumps({**facts, "namespace_create": False, "verify_public_url": ""})]
    finally:
        kubectl("delete namespace %s", TENANT)


@pytest.mark.long
def test_the_documented_role_of_a_deployer_suffices(play, kubectl, deployer):
    run = play("deploy", *deployer)
    assert run.returncode == 0, run.output
    again = play("deploy", *deployer)
    assert "changed=0" in again.output, again.output
    verified = play("verify", *deployer)
    assert verified.returncode == 0, verified.output
    for check in ("challenge", "redis_ping", "redis_maxmemory", "access_jobs", "mounted_config"):
        assert re.search(rf"\b{check} +ok\b", verified.output), verified.output
    # Asked about the whole cluster, which such a deployer may not
    assert "more you may not ask (subjectaccessreviews)" in verified.output
    for verb in ("status", "drift"):
        looked = play(verb, *deployer)
        assert looked.returncode == 0, looked.output

    rules = json.loads(kubectl("-n %s get role agentsmith-deployer -o json", TENANT))["rules"]
    index = next(index for index, rule in enumerate(rules) if "networkpolicies" in rule["resources"])
    patch = json.dumps([{"op": "replace", "path": f"/rules/{index}/verbs", "value": ["get", "list", "create"]}])
    kubectl("-n %s patch role agentsmith-deployer --type=json -p %s", TENANT, patch)
    before = kubectl("-n %s get deployment,configmap,networkpolicy -o json", TENANT)
    fewer = {"redis_maxmemory": "64mb", "redis_network_policy_enabled": False, "namespace_default_deny": False}
    lacking = play("deploy", *deployer, "-e", json.dumps(fewer))
    assert lacking.returncode != 0
    assert f"- delete networkpolicies.networking.k8s.io: for NetworkPolicy {TENANT}/redis" in lacking.output
    assert "docs/how-to/deployer.md has a Role for a release with the defaults" in lacking.output
    assert kubectl("-n %s get deployment,configmap,networkpolicy -o json", TENANT) == before, "nothing was changed"

    kubectl("-n %s apply -f %s", TENANT, str(CHECKOUT / "docs/how-to/deployer-role.yml"))
    gone = play("teardown", *deployer, "-e", f"teardown_confirm={TENANT}")
    assert gone.returncode == 0, gone.output
    assert kubectl("-n %s get deployment,secret,configmap -l app.kubernetes.io/instance -o name", TENANT) == ""
