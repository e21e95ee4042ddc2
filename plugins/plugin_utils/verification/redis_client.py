# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the Redis of an installation, through a forwarded port, as the user that the app is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..api.pod_stream import ContainerOf, forwarded_port
from ..api.redis_over_socket import RedisClient
from ..secrets.redis_configuration import credentials_of
from .secret import value_of
from .target import REDIS_PORT, Target


@contextmanager
def redis_client(target: Target, pod: ContainerOf, timeout: float) -> Iterator[RedisClient]:
    """Yield a client that has given the password of the live Secret, if it has one.

    :param timeout: seconds for an answer.
    :raises StreamFailed: when the pod cannot be reached or Redis refuses a command, for example the password.
    """
    with connected_redis(target, pod, timeout) as client:
        authenticate(client, target.secret)
        yield client


@contextmanager
def connected_redis(
    target: Target, pod: ContainerOf, timeout: float, patience: float | None = None
) -> Iterator[RedisClient]:
    """Yield a client that has given no password yet.

    Errors and parameters are those of redis_client(), and ``patience`` of forwarded_port().
    """
    with forwarded_port(target.connection, pod, REDIS_PORT, timeout, patience) as connected:
        yield RedisClient(connected)


def authenticate(client: RedisClient, secret: Mapping[str, Any] | None) -> None:
    """Give the password in a Secret, if it has one.

    :raises RedisError: when Redis refuses it.
    """
    user, password = credentials_of(value_of(((secret or {}).get("data") or {}).get("redis-url", "")))
    if password:
        client.command("AUTH", user or "default", password)
