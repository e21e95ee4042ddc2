# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis is asked: its Deployment, and what it runs with."""

from ..pods.names import REDIS
from . import redis
from .outcome import Outcome
from .probe import POD_TIMEOUT, Asked, Probe, not_checked, rollout
from .redis_client import redis_client
from .target import main_container


def redis_rollout(asked: Asked) -> list[Outcome]:
    """Ask for the Deployment of Redis."""
    wanted = asked.target.intended("Deployment", REDIS) is not None
    return [rollout(asked, "redis_rollout", REDIS, asked.target.redis, wanted)]


def redis_answers(asked: Asked) -> list[Outcome]:
    """Ask Redis what it runs with."""
    checks = ("redis_ping", "redis_maxmemory", "redis_policy", "redis_persistence")
    deployment = asked.target.redis
    pods = asked.target.ready_containers(deployment)
    if deployment is None or not pods:
        return not_checked(checks, "no pod of Redis is ready" if deployment else "no Redis in this namespace")
    with redis_client(asked.target, pods[0], POD_TIMEOUT) as client:
        pong = client.command("PING")
        settings = {}
        for name in redis.SETTINGS:
            (_name, settings[name]) = client.command("CONFIG", "GET", name)
    intended = asked.target.intended("Deployment", REDIS) or deployment
    arguments = redis.arguments_of(main_container(intended, REDIS).get("args") or [])
    return [
        redis.check_ping(checks[0], pong),
        redis.check_maxmemory(checks[1], settings, arguments),
        redis.check_policy(checks[2], settings, arguments),
        redis.check_persistence(checks[3], settings, arguments),
    ]


PROBES = (
    Probe(("redis_rollout",), "redis", redis_rollout),
    Probe(("redis_ping", "redis_maxmemory", "redis_policy", "redis_persistence"), "redis", redis_answers),
)
