# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the Redis of an installation, through a forwarded port, as the user that the app is."""

from collections.abc import Iterator
from contextlib import contextmanager

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
    with forwarded_port(target.connection, pod, REDIS_PORT, timeout) as connected:
        client = RedisClient(connected)
        data = (target.secret or {}).get("data") or {}
        user, password = credentials_of(value_of(data.get("redis-url", "")))
        if password:
            client.command("AUTH", user or "default", password)
        yield client
