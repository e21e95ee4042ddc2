# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's pods are made to call the API server, by its address and by its name, and Redis."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ..api.redis_over_socket import encoded_command
from ..pods.names import DISPATCHER, REDIS
from ..secrets.redis_configuration import (
    RedisConfigurationError,
    check_configuration,
    credentials_of,
    endpoints_of,
    takes_plain_commands,
)
from . import egress
from .outcome import FAILED, OK, Outcome, worst
from .probe import Asked, Probe, not_checked
from .secret import value_of

# Seconds: a network plugin opens the way of a new pod, or by a changed policy, a moment later.
SETTLING_TIME = 20.0
PAUSE = 1.0  # seconds between two attempts
HTTP_REQUEST = b"GET /version HTTP/1.0\r\n\r\n"
_NO_NETWORK = "the bash of its image knows no /dev/tcp"


def api_server_and_dns(asked: Asked) -> list[Outcome]:
    """Have every Dispatcher call the API server by its address and by its name."""
    checks = ("egress_api_server", "egress_dns")

    def look(pod: Mapping[str, Any]) -> list[Outcome]:
        hosts = ("", egress.KNOWN_NAME)
        with ThreadPoolExecutor(len(hosts)) as executor:
            by_address, by_name = executor.map(
                lambda host: egress.call_from(asked.target, pod, host, "", HTTP_REQUEST), hosts
            )
        if by_address is None or by_name is None:
            return not_checked(checks, _NO_NETWORK)
        return [
            egress.check_api_server(checks[0], by_address, _has_sidecar(pod)),
            egress.check_dns(checks[1], by_name, by_address),
        ]

    return _of_all_pods(asked, checks, look)


def redis(asked: Asked) -> list[Outcome]:
    """Have every Dispatcher call Redis, whether it is the bundled one or an external one."""
    checks = ("egress_redis",)
    url = value_of(((asked.target.secret or {}).get("data") or {}).get("redis-url", ""))
    try:
        check_configuration(url)
    except RedisConfigurationError:  # whose reason is another check's
        return not_checked(checks, "the Secret has no redis-url that the app can read: see secret_keys")
    user, password = credentials_of(url)
    # As the app does it: without a user, a Redis that has no password says so
    command = ("AUTH", *filter(None, (user,)), password) if password else ("PING",)
    request = encoded_command(*command) if takes_plain_commands(url) else b""

    def look(pod: Mapping[str, Any]) -> list[Outcome]:
        outcome = not_checked(checks, _NO_NETWORK)[0]
        for host, port in endpoints_of(url):
            call = egress.call_from(asked.target, pod, host.strip("[]"), str(port), request)
            if call is not None:
                outcome = egress.check_redis(checks[0], call, bool(request), _has_sidecar(pod))
            if outcome.result == OK:
                break  # the app needs one of them
        return [outcome]

    outcomes = _of_all_pods(asked, checks, look)
    if any(outcome.result == FAILED for outcome in outcomes) and _redis_is_down(asked):
        return [
            replace(outcome, hint="The Redis of this release does not run: see redis_rollout.") for outcome in outcomes
        ]
    return outcomes


def _redis_is_down(asked: Asked) -> bool:
    """Tell whether Redis itself is the cause, rather than its address or the network before it."""
    return asked.target.intended("Deployment", REDIS) is not None and not asked.target.ready_pods(asked.target.redis)


def api_server_port(asked: Asked) -> list[Outcome]:
    """Compare the NetworkPolicy with where the API server says that it listens."""
    query = {"labelSelector": "kubernetes.io/service-name=kubernetes"}
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    addresses = [
        (address, port["port"])
        for entry in asked.target.connection.get(path, query).body.get("items") or []
        for endpoint in entry.get("endpoints") or []
        for address in endpoint.get("addresses") or []
        for port in entry.get("ports") or []
    ]
    others = [f"{kind} {name}" for kind, name in asked.target.intended_names if kind.endswith("NetworkPolicy")]
    foreign = [name for name in others if not name.startswith("NetworkPolicy ")]
    policy = asked.target.network_policy(DISPATCHER)
    return [egress.check_api_server_port("api_server_port", policy, addresses, foreign)]


def _of_all_pods(
    asked: Asked, checks: tuple[str, ...], look: Callable[[Mapping[str, Any]], list[Outcome]]
) -> list[Outcome]:
    """Look until nothing has failed, or the network has had its time."""
    pods = asked.target.ready_pods(asked.target.dispatcher)
    if not pods:
        return not_checked(checks, "no pod of the Dispatcher is ready")
    deadline = time.monotonic() + SETTLING_TIME
    while True:
        outcomes = [worst(found) for found in zip(*map(look, pods), strict=True)]
        if all(outcome.result != FAILED for outcome in outcomes) or time.monotonic() > deadline:
            return outcomes
        time.sleep(PAUSE)


def _has_sidecar(pod: Mapping[str, Any]) -> bool:
    spec = pod["spec"]
    return len(spec["containers"]) > 1 or any(
        entry.get("restartPolicy") == "Always" for entry in spec.get("initContainers") or []
    )


PROBES = (
    Probe(("egress_api_server", "egress_dns"), "dispatcher", api_server_and_dns),
    Probe(("egress_redis",), "dispatcher", redis),
    Probe(("api_server_port",), "dispatcher", api_server_port),
)
