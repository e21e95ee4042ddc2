# SPDX-License-Identifier: GPL-3.0-or-later
"""REDIS_URL by the rules of StackExchange.Redis."""

from __future__ import annotations

import pytest
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration

MARKED = "s3cr3t-marked"


@pytest.mark.parametrize(
    ("text", "endpoints"),
    [
        ("redis:6379", [("redis", 6379)]),
        ("redis", [("redis", 6379)]),
        (" redis:6380 , abortConnect = false ", [("redis", 6380)]),
        ("redis.agentsmith.svc.cluster.local:6379", [("redis.agentsmith.svc.cluster.local", 6379)]),
        ("redis:0", [("redis", 6379)]),
        ("a:1,b:2,a:1", [("a", 1), ("b", 2)]),
        ("redis,ssl=true", [("redis", 6380)]),
        ("redis:6379,ssl=true", [("redis", 6379)]),
        ("10.0.0.1:7000", [("10.0.0.1", 7000)]),
        ("::1", [("::1", 6379)]),
        ("[::1]:7000", [("::1", 7000)]),
        ("[::1]", [("::1", 6379)]),
        ("redis://redis:6379", [("redis://redis:6379", 6379)]),
        ("rediss://redis:6379", [("rediss://redis:6379", 6379)]),
        ("redis:abc,other:1", [("other", 1)]),
        (",,redis,,", [("redis", 6379)]),
        ("redis:6379,password=a,bc", [("redis", 6379), ("bc", 6379)]),
    ],
)
def test_endpoints(text: str, endpoints: list[tuple[str, int]]) -> None:
    assert [(e.host, e.port) for e in parse_redis_configuration(text).endpoints] == endpoints


def test_defaults() -> None:
    configuration = parse_redis_configuration("redis")
    assert configuration.abort_on_connect_fail is True
    assert (configuration.connect_timeout, configuration.connect_retry, configuration.command_timeout) == (5.0, 3, 5.0)
    assert (configuration.database, configuration.user, configuration.password) == (None, None, None)
    assert configuration.ssl is False


def test_options_are_read_whatever_their_case() -> None:
    configuration = parse_redis_configuration(
        f"redis:6380,PASSWORD={MARKED}=,User=u,SSL=yes,AbortConnect=off,connecttimeout=250,connectRetry=1,"
        "defaultDatabase=4,name=n,syncTimeout=1000,$CONFIG=,writeBuffer=whatever"
    )
    assert configuration.password == f"{MARKED}="
    assert (configuration.user, configuration.client_name, configuration.database) == ("u", "n", 4)
    assert (configuration.ssl, configuration.abort_on_connect_fail) == (True, False)
    assert (configuration.connect_timeout, configuration.connect_retry, configuration.command_timeout) == (0.25, 1, 1.0)
    assert MARKED not in repr(configuration)


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("On", True), ("0", False), ("NO", False)]
)
def test_booleans(value: str, expected: bool) -> None:
    assert parse_redis_configuration(f"redis,abortConnect={value}").abort_on_connect_fail is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "REDIS_URL is empty"),
        ("  ", "REDIS_URL is empty"),
        (",", "No endpoints specified"),
        ("abortConnect=false", "No endpoints specified"),
        ("redis:x", "No endpoints specified"),
        # One colon: `//redis` is taken for a port, and as it is no number, nothing is left.
        ("redis://redis", "No endpoints specified"),
        ("redis,conectTimeout=1", "Keyword 'conectTimeout' is not supported"),
        ("redis,abortConnect=maybe", "'abortConnect' in REDIS_URL requires a boolean"),
        ("redis,abortConnect=", "'abortConnect' in REDIS_URL requires a boolean"),
        ("redis,connectTimeout=5s", "'connectTimeout' in REDIS_URL requires an integer"),
        ("redis,connectTimeout=99999999999", "'connectTimeout' in REDIS_URL requires an integer"),
        ("redis,syncTimeout=0", "'syncTimeout' in REDIS_URL has a minimum value of '1'"),
        ("redis:65536", "An end point in REDIS_URL needs a host and a port"),
        ("redis:-1", "An end point in REDIS_URL needs a host and a port"),
        ("redis,asyncTimeout=-1", "'asyncTimeout' in REDIS_URL has a minimum value of '1'"),
        ("redis,connectTimeout=-1", "'connectTimeout' in REDIS_URL has a minimum value of '0'"),
        *((f"redis,protocol={value}", "'protocol' in REDIS_URL") for value in ("9", "2.0", "", "resp4")),
        *(
            (f"redis,sslProtocols={value}", "'sslProtocols' in REDIS_URL")
            for value in ("Tls99", "Tls12|", "Tls12|3072")
        ),
        *((f"redis,version={value}", "'version' in REDIS_URL") for value in ("abc", "7.", "1.2.3.4.5", "")),
        ("redis,serviceName=mymaster", "the stand-in does not do this"),
        ("!/run/redis.sock", "the stand-in does not do this"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(RedisConfigurationError, match=message):
        parse_redis_configuration(text)


@pytest.mark.parametrize(
    "text",
    [
        f"redis,password=a,{MARKED}=b",
        f"redis://:{MARKED}=x@redis:6379",
        f"redis,{MARKED}:x=1",
        f"redis,password={MARKED},abortConnect={MARKED}",
        f"redis,password=x,connectTimeout={MARKED}",
        f"redis,password=x,{MARKED}:70000",
        f"redis://{MARKED}:x=@redis:6379",
    ],
)
def test_refusal_shows_no_password(text: str) -> None:
    with pytest.raises(RedisConfigurationError) as caught:
        parse_redis_configuration(text)
    assert MARKED not in str(caught.value)


@pytest.mark.parametrize(
    "option",
    [
        *(f"protocol={value}" for value in ("resp2", "RESP3", "2", "+3", "03")),
        *(f"sslProtocols={value}" for value in ("Tls12", "tls12|TLS13", "None", "3072")),
        *(f"version={value}" for value in ("7", "7.0", "2.8.16.1")),
        *("connectTimeout=0", "syncTimeout=1", "connectRetry=-1", "keepAlive=-5", "defaultDatabase=-1"),
    ],
)
def test_values_that_the_library_takes(option: str) -> None:
    assert parse_redis_configuration(f"redis,{option}").endpoints
