# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a deploy waits for the controllers of other tools, and how that ends."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.conditions.wait import remarks, waits_for
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.planned_object import PlannedObject
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.rollout import wait_for_rollout
from fake_connection import FakeConnection

PATH = "/apis/gateway.networking.k8s.io/v1/namespaces/n/httproutes/r"
CERTIFICATE_PATH = "/apis/cert-manager.io/v1/namespaces/n/certificates/c"
REFUSED = {"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "not allowed"}
TAKEN = {"type": "Accepted", "status": "True"}
METADATA = {"namespace": "n", "generation": 1}


def route(*conditions: Any) -> dict[str, Any]:
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {**METADATA, "name": "r"}}
    parent = {"name": "g"}
    status = {"parents": [{"parentRef": parent, "conditions": list(conditions)}]}
    return {**body, "spec": {"parentRefs": [parent]}, "status": status}


def certificate(*conditions: Any) -> dict[str, Any]:
    body = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {**METADATA, "name": "c"}}
    spec = {"secretName": "tls", "dnsNames": ["a.example.com"], "issuerRef": {"name": "i"}}
    return {**body, "spec": spec, "status": {"conditions": list(conditions)}}


NOT_READY = certificate({"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "no Secret"})
READY = certificate({"type": "Ready", "status": "True"})


class Wait:
    """One wait with a clock of its own. The *states* of the object follow each other, a second each."""

    def __init__(self, path: str, *states: dict[str, Any], answers: Any = None, result: str = "created") -> None:
        self.seconds = 0.0
        answered = {path: lambda: states[min(int(self.seconds), len(states) - 1)], **(answers or {})}
        self.connection = FakeConnection(answered)
        after = None if result == "unchanged" else copy.deepcopy(states[0])
        live = None if result == "created" else copy.deepcopy(states[0])
        self.item = PlannedObject(copy.deepcopy(states[0]), path, live, result, after=after)
        self.warnings: list[str] = []

    def run(self, timeout: float = 300) -> str:
        """Wait, and return the message with which it fails."""
        connection: Any = self.connection
        waits = waits_for(connection, [self.item], clock=lambda: self.seconds)
        with ThreadPoolExecutor(2) as executor:
            try:
                wait_for_rollout(
                    connection,
                    executor,
                    [self.item],
                    timeout,
                    clock=lambda: self.seconds,
                    sleep=self._sleep,
                    others=waits,
                )
            except ApplyError as error:
                return str(error)
            finally:
                self.warnings = [wait.warning for wait in waits if wait.warning]
        return ""

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_what_the_write_returned_as_served_costs_no_request() -> None:
    wait = Wait(PATH, route(TAKEN))
    assert (wait.run(), wait.connection.asked) == ("", [])


def test_one_that_was_not_written_is_read_anew() -> None:
    wait = Wait(PATH, route(TAKEN), result="unchanged")
    assert (wait.run(), wait.connection.asked) == ("", [PATH])


def test_a_refusal_that_stays_stops_the_wait() -> None:
    wait = Wait(PATH, route(REFUSED))
    message = wait.run()
    assert "HTTPRoute n/r is not served: Gateway n/g: Accepted is False, NotAllowedByListeners: not allowed" in message
    assert "dispatcher_gateways" in message
    assert wait.seconds == 10.0


def test_a_refusal_that_its_controller_takes_back_is_none() -> None:
    wait = Wait(PATH, *[route(REFUSED)] * 5, route(TAKEN))
    assert (wait.run(), wait.seconds, wait.warnings) == ("", 5.0, [])


def test_a_refusal_whose_words_change_does_not_begin_anew() -> None:
    wait = Wait(PATH, *[route({**REFUSED, "message": f"attempt {at}"}) for at in range(20)])
    assert "attempt 10" in wait.run()


def test_nobody_who_answers_is_told_and_ends_the_wait() -> None:
    wait = Wait(CERTIFICATE_PATH, certificate())
    assert (wait.run(), wait.seconds) == ("", 10.0)
    assert wait.warnings[0].startswith("Certificate n/c is not ready: cert-manager has not answered.")


def test_a_certificate_is_waited_for_and_the_challenge_names_the_cause() -> None:
    issuer = {"/apis/cert-manager.io/v1/namespaces/n/issuers/i": {"metadata": {"name": "i"}}}
    assert Wait(CERTIFICATE_PATH, *[NOT_READY] * 60, READY, answers=issuer).run() == ""
    requests = [
        {
            "metadata": {
                "name": f"c-{at}",
                "creationTimestamp": f"2026-01-01T00:00:0{at}Z",
                "annotations": {"cert-manager.io/certificate-name": "c"},
            },
            "status": {
                "conditions": [{"type": "Ready", "status": "False", "reason": "Pending", "message": f"no. {at}"}]
            },
        }
        for at in (2, 1)
    ]
    challenges = [
        {
            "metadata": {"name": name},
            "spec": {"type": "HTTP-01", "dnsName": name},
            "status": {"reason": "wrong status code '404', expected '200'"},
        }
        for name in ("a.example.com", "b.example.com")
    ]
    answers = {
        **issuer,
        "/apis/cert-manager.io/v1/namespaces/n/certificaterequests": {"items": requests},
        "/apis/acme.cert-manager.io/v1/namespaces/n/challenges": {"items": challenges},
    }
    message = Wait(CERTIFICATE_PATH, NOT_READY, answers=answers).run(30)
    assert "wait_timeout (30 s) is over" in message
    assert (
        "Certificate n/c is not ready: Ready is False, DoesNotExist: no Secret. Check dispatcher_tls_issuer" in message
    )
    assert "CertificateRequest c-2: Ready is False, Pending: no. 2" in message
    assert "Challenge HTTP-01 of a.example.com: wrong status code '404', expected '200'" in message
    assert "no. 1" not in message
    assert "b.example.com" not in message


def test_a_gateway_without_an_address_is_told_when_the_time_is_over() -> None:
    conditions = [TAKEN, {"type": "Programmed", "status": "False", "reason": "AddressNotAssigned", "message": "none"}]
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {**METADATA, "name": "g"}}
    gateway = {**body, "spec": {}, "status": {"conditions": conditions}}
    wait = Wait("/apis/gateway.networking.k8s.io/v1/namespaces/n/gateways/g", gateway)
    assert (wait.run(60), wait.seconds) == ("", 60.0)
    assert "AddressNotAssigned: none" in wait.warnings[0]


def test_one_that_somebody_deletes_fails() -> None:
    wait = Wait(PATH, route(REFUSED))
    wait.connection.find = lambda _path: None  # type: ignore[method-assign]
    assert "somebody deleted it in the meantime" in wait.run()


@pytest.mark.parametrize(("state", "count"), [(route(REFUSED), 1), (route(TAKEN), 0), (route(), 0)])
def test_what_is_not_waited_for_is_judged_by_what_the_plan_read(state: dict[str, Any], count: int) -> None:
    assert len(remarks([PlannedObject(state, PATH, state, "unchanged")])) == count
