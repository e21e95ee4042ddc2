# SPDX-License-Identifier: GPL-3.0-or-later
"""Slack's requests from outside through Traefik to the Dispatcher and into a Job, by every way in."""

from __future__ import annotations

import base64
import http.client
import json
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import yaml
from awaiting import await_condition
from cells import CELLS, EXTERNAL_TLS, FOREIGN_HOST, WITH_OWN_CERTIFICATE, WITH_TLS, Cell
from certificate_authority import Issued, issue
from conftest import CHECKOUT, KUBECONFIG, KUBECTL, Run, SteadyClient
from cryptography import x509
from outside import CHALLENGE, Outside
from slack_person import SlackPerson

RELEASE = CHECKOUT / "molecule/way_in/vars/release.yml"
HOST = urlsplit(yaml.safe_load(RELEASE.read_text())["dispatcher_public_url"]).hostname or ""
every_way = pytest.mark.parametrize("way", CELLS, ids=str, indirect=True)
every_way_with_tls = pytest.mark.parametrize("way", WITH_TLS, ids=str, indirect=True)
every_way_with_own_certificate = pytest.mark.parametrize("way", WITH_OWN_CERTIFICATE, ids=str, indirect=True)
# Seconds until Traefik follows what was changed in the cluster
FOLLOWING_TIME = 60


@dataclass
class Way:
    """A way in that is served."""

    cell: Cell
    outside: Outside
    plain: Outside
    deploy: Callable[..., Run]
    """Deploy with more variables, which later deploys keep."""
    renew: Callable[[], object]
    """Have the certificate replaced by whoever it comes from."""


@pytest.fixture(scope="session")
def deploy(playbook, tmp_path_factory) -> Callable[..., Run]:
    """Deploy behind a cell of the table: `deploy(cell, dispatcher_replicas=2)`."""
    directory = tmp_path_factory.mktemp("variables")

    def run(cell: Cell, **variables: object) -> Run:
        file = directory / "variables.json"
        file.write_text(json.dumps(cell.variables() | variables))
        return playbook("playbooks/deploy.yml", "-e", f"@{RELEASE}", "-e", f"@{file}")

    return run


@pytest.fixture(scope="module")
def make_tls_secret(kubectl, tmp_path_factory) -> Callable[[str, str, Issued], None]:
    """Create or replace a Secret with a certificate, as a tool of others does."""

    def make(namespace: str, name: str, server: Issued) -> None:
        pems = {"tls.crt": server.pem, "tls.key": server.key_pem()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "data": {file: base64.b64encode(pem.encode()).decode() for file, pem in pems.items()},
        }
        file = tmp_path_factory.mktemp("tls") / "secret.json"
        file.write_text(json.dumps(secret))
        kubectl("apply --server-side --force-conflicts --field-manager=way-in -f %s", str(file))

    return make


@pytest.fixture(scope="module")
def pebbles_root(kubectl) -> str:
    """The certificate of the authority, which Pebble makes anew at each start."""
    return kubectl("get --raw /api/v1/namespaces/way-in/services/https:pebble:15000/proxy/roots/0")


@pytest.fixture(scope="module")
def renew_by_cert_manager(kubectl) -> Callable[[], None]:
    """What `cmctl renew` does: cert-manager takes the condition for the order to issue now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "By the test"}
    patch = json.dumps(
        [{"op": "add", "path": "/status/conditions/-", "value": condition | {"lastTransitionTime": now}}]
    )

    def renew() -> None:
        kubectl("-n agentsmith patch certificate agentsmith-dispatcher --subresource=status --type=json -p %s", patch)

    return renew


@pytest.fixture(scope="module")
def way(request, inventory, deploy, make_tls_secret, pebbles_root, renew_by_cert_manager, kubectl) -> Iterator[Way]:
    """The release behind a cell of the table, once it is served."""
    cell: Cell = request.param
    host = FOREIGN_HOST if cell.route == "foreign_gateway" else HOST
    now = datetime.now(UTC)
    root = issue("root", now=now)

    def new_certificate() -> Issued:
        return issue("server", root, (x509.DNSName(host),), now=now)

    def own_certificate() -> dict[str, str]:
        made = new_certificate()
        return {"dispatcher_tls_certificate": made.pem, "dispatcher_tls_key": made.key_pem()}

    secrets = {"secret": ("agentsmith", EXTERNAL_TLS), "listener": ("way-in", "public")}
    if cell.tls in secrets:
        make_tls_secret(*secrets[cell.tls], new_certificate())
    settings: dict[str, object] = dict(own_certificate() if cell.tls == "certificate" else {})

    def redeploy(**variables: object) -> Run:
        settings.update(variables)
        run = deploy(cell, **settings)
        assert run.returncode == 0, run.output
        return run

    renewals: dict[str, Callable[[], object]] = {
        "issuer": renew_by_cert_manager,
        "certificate": lambda: redeploy(**own_certificate()),
        "secret": lambda: make_tls_secret(*secrets["secret"], new_certificate()),
        "listener": lambda: make_tls_secret(*secrets["listener"], new_certificate()),
    }
    secret = inventory["vault_slack_signing_secret"]
    plain = Outside(host, inventory["local_cluster_host_port"], secret)
    trust = pebbles_root if cell.tls == "issuer" else root.pem
    outside = Outside(host, inventory["dev_slack_host_port"], secret, trust) if cell.ends_tls else plain

    def served() -> bool:
        """Whether all answers of three seconds are right: the way in of the last cell may be served that long."""
        try:
            return all(outside.event().status == 200 and not time.sleep(0.1) for _request in range(30))
        except (OSError, http.client.HTTPException):
            return False

    redeploy()
    await_condition(served, FOLLOWING_TIME, pause=0.2)
    yield Way(cell, outside, plain, redeploy, renewals.get(cell.tls, lambda: None))
    if cell.tls == "secret":
        kubectl("-n agentsmith delete secret %s", EXTERNAL_TLS)


@pytest.fixture(scope="module")
def person() -> Iterator[SlackPerson]:
    """Somebody at the page of the stand-in Slack, which has no port on this machine now."""
    command = [KUBECTL, "--kubeconfig", KUBECONFIG, "-n", "agentsmith", "port-forward", "service/stand-in-slack", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout
            found = re.search(r"127\.0\.0\.1:(\d+)", forwarding.stdout.readline())
            assert found, "kubectl port-forward does not say where it listens"
            yield SlackPerson(f"http://127.0.0.1:{found[1]}")
        finally:
            forwarding.terminate()


@every_way
def test_only_a_signed_event_is_let_in(way):
    answer = way.outside.event()
    assert (answer.status, json.loads(answer.body)["challenge"]) == (200, CHALLENGE["challenge"])
    assert way.outside.event(secret="0" * 32).status == 401


@every_way
def test_nothing_else_is_served(way):
    assert way.outside.request("GET", "/health").status == 404
    assert way.outside.request("GET", "/").status == 404
    assert way.outside.event(path="/slackers/events").status == 404
    assert way.outside.event(host="other.example.com").status == 404


@every_way_with_tls
def test_plain_http_leads_to_https_or_nowhere(way):
    answer = way.plain.event()
    if way.cell.redirects:
        assert answer.status in {301, 308}
        assert answer.headers["location"] == f"https://{way.outside.host}/slack/events"
    else:
        assert answer.status == 404


@every_way
def test_a_message_becomes_a_job_that_finishes(way, person, add_channel, job_of):
    channel = add_channel()
    event = {"type": "message", "text": "fix #54 in my-project", "user": "U0OUTSIDE", "channel": channel, "ts": "1.0"}
    answer = way.outside.event({"type": "event_callback", "event": event})
    assert answer.status == 200
    person.await_message("Starting", channel)
    assert job_of(channel)["metadata"]["labels"]["project"] == "my-project"
    person.await_message(r"\*Done!\*", channel, timeout=60)


@every_way
def test_a_rollout_loses_no_request(way, get, pod_of):
    before = pod_of("agentsmith-dispatcher")["metadata"]["uid"]
    with SteadyClient(lambda: way.outside.event().status) as client:
        way.deploy(dispatcher_pod_annotations={"way-in.example.com/rolled": uuid.uuid4().hex})
        # The old pod is gone, too
        await_condition(lambda: before not in {pod["metadata"]["uid"] for pod in get("pods")}, timeout=60, pause=0.5)
    print(f"{way.cell}, rollout: {client}")
    client.assert_unbroken()


@every_way_with_tls
def test_a_renewed_certificate_loses_no_request(way):
    before = way.outside.certificate().serial_number
    with SteadyClient(lambda: way.outside.event().status) as client:
        way.renew()
        await_condition(lambda: way.outside.certificate().serial_number != before, timeout=120, pause=0.5)
        renewed = client.asked
        await_condition(lambda: client.asked >= renewed + 20)
    print(f"{way.cell}, renewal: {client}")
    client.assert_unbroken()


@every_way_with_own_certificate
def test_a_certificate_from_elsewhere_loses_no_request(way, deploy, pebbles_root):
    outside = replace(way.outside, trust=way.outside.trust + pebbles_root)
    own = outside.certificate().issuer
    with SteadyClient(lambda: outside.event().status) as client:
        run = deploy(Cell(way.cell.route, "issuer"))
        assert run.returncode == 0, run.output
        await_condition(lambda: outside.certificate().issuer != own, timeout=120, pause=0.5)
        way.deploy()
        await_condition(lambda: outside.certificate().issuer == own, timeout=FOLLOWING_TIME, pause=0.5)
    print(f"{way.cell}, to an issuer and back: {client}")
    client.assert_unbroken()


@pytest.mark.parametrize("tls", ["secret", "certificate", "issuer"])
def test_gateways_of_others_hold_the_certificate(deploy, tls):
    made = issue("server", issue("root"), (x509.DNSName(FOREIGN_HOST),))
    certificate = {"dispatcher_tls_certificate": made.pem, "dispatcher_tls_key": made.key_pem()}
    issuer = {"dispatcher_tls_issuer": {"name": "pebble-gateway"}}
    run = deploy(Cell("foreign_gateway", "none"), dispatcher_tls=tls, **certificate, **issuer)
    assert run.returncode != 0
    assert "dispatcher_tls does not fit. Allowed: none with dispatcher_gateways, whose listeners hold" in run.output
