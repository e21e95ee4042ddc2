# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of Redis: what converts, what stays as it is, what is refused and why, and that no reason quotes it.

The rules are those of StackExchange.Redis 2.8.16, the library that the app hands the string to.
"""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redis_configuration import (
    RedisConfigurationError,
    check_configuration,
    configuration_of,
    credentials_of,
    endpoints_of,
    takes_plain_commands,
)
from hypothesis import given
from hypothesis import strategies as st

CONVERTED = {
    "redis://cache:6379": "cache:6379,abortConnect=false",
    "redis://cache:6379/": "cache:6379,abortConnect=false",
    "REDIS://cache:6379": "cache:6379,abortConnect=false",
    "rediss://cache.example.com:6380": "cache.example.com:6380,ssl=true,abortConnect=false",
    "redis://:secret@cache:6379": "cache:6379,password=secret,abortConnect=false",
    "redis://smith@cache:6379": "cache:6379,user=smith,abortConnect=false",
    "redis://smith:@cache:6379": "cache:6379,user=smith,abortConnect=false",
    "redis://:@cache:6379": "cache:6379,abortConnect=false",
    "rediss://smith:secret@cache:1": "cache:1,user=smith,password=secret,ssl=true,abortConnect=false",
    "redis://smith:p%40s%2Fs%3D%25@cache:6379": "cache:6379,user=smith,password=p@s/s=%,abortConnect=false",
    "redis://a%40b:se%3Acret@cache:6379": "cache:6379,user=a@b,password=se:cret,abortConnect=false",
    "redis://:se:cret@cache:6379": "cache:6379,password=se:cret,abortConnect=false",
    "redis://:p@ss@cache:6379": "cache:6379,password=p@ss,abortConnect=false",
    "redis://:p%C3%A4ss@cache:6379": "cache:6379,password=päss,abortConnect=false",
    "redis://:pl+us@cache:6379": "cache:6379,password=pl+us,abortConnect=false",
    "redis://10.0.0.7:65535": "10.0.0.7:65535,abortConnect=false",
    "redis://[fd00::7]:6379": "[fd00::7]:6379,abortConnect=false",
}

KEPT = [
    "redis:6379,abortConnect=false",
    "redis",
    "redis:6379",
    "redis:6379,",
    "redis.agentsmith.svc.cluster.local:6379",
    "[fd00::7]:6379",
    "one:6379,two:6379,three:6379,abortConnect=false",
    "cache:6380,ssl=true,user=agentsmith,password=se=cr@et:/%2C,abortConnect=FALSE,defaultDatabase=3",
    "cache:6379,ABORTCONNECT=no,connectTimeout=+5000,keepAlive=-1,$CONFIG=,$INFO=MYINFO",
    "cache:6379,password=",
    "cache:6379,password=one,ssl=true",
    "cache:6379,sslProtocols=Tls12|Tls13,name=smith,channelPrefix=a:b,writeBuffer=1",
    # Each option at its bounds: what the library parses and works with
    "cache:6379,connectTimeout=1,syncTimeout=1,asyncTimeout=+1,connectTimeout=2147483647,defaultDatabase=0",
    "cache:6379,connectRetry=0,keepAlive=-1,configCheckSeconds=0,connectRetry=-2147483648,keepAlive=007",
    "cache:6379,protocol=resp2,protocol=RESP3,protocol=2,protocol=+3",
    "cache:6379,sslProtocols=tls,sslProtocols=none,sslProtocols=TLS11|tls12|Tls13,sslProtocols=3072,sslProtocols=15360",
    "cache:6379,proxy=none,proxy=Twemproxy,proxy=ENVOYPROXY,proxy=2",
    "cache:6379,version=7,version=7.2,version=7.2.4,version=0.0.0.0",
    "cache:6379,tunnel=,tunnel=http:proxy.internal:3128,tunnel=http://[fd00::1]:3128/",
    "passwords:6380",
]

# value -> what the reason says. SECRET and 4711 mark what no reason may quote.
REFUSED = {
    "": "names no end point",
    ",": "names no end point",
    "abortConnect=false": "names no end point",
    "redis:6379 ": "white space",
    "redis:6379, abortConnect=false": "white space",
    "redis:6379\n": "white space",
    "redis:6379,password=SECRET SECRET": "white space",
    "\u200bredis:6379": "white space",
    "redis:SECRET": "no end point host:port as its item 1",
    "redis:0": "a port from 1 to 65535",
    "redis:65536": "a port from 1 to 65535",
    "redis:6379:6379": "no end point host:port as its item 1",
    "SECRET@redis:6379": "no end point host:port as its item 1",
    "redis:6379,redis://SECRET": "no end point host:port as its item 2",
    "=SECRET": "no end point host:port as its item 1",
    "redis:6379,ssl=true,two:6379": "no option as its item 3: end points come first",
    "redis:6379,abortConect=false": "an unknown option, item 2; the library knows abortConnect",
    "redis:6379,db=1": "an unknown option, item 2",
    "redis:6379,ssl=SECRET": "a value for ssl that is neither true nor false",
    "redis:6379,ssl=": "a value for ssl that is neither",
    "redis:6379,defaultDatabase=SECRET": "a value for defaultDatabase that is not a 32-bit whole number",
    "redis:6379,defaultDatabase=": "a value for defaultDatabase that is not a 32-bit whole number",
    "redis:6379,keepAlive=2147483648": "a value for keepAlive that is not a 32-bit whole number",
    "redis:6379,keepAlive=-2147483649": "a value for keepAlive that is not a 32-bit whole number",
    "redis:6379,keepAlive=1e3": "a value for keepAlive that is not a 32-bit whole number",
    "redis:6379,connectTimeout=-1": "a value for connectTimeout that the app cannot work with; it takes 1 or more",
    "redis:6379,connectTimeout=0": "a value for connectTimeout that the app cannot work with; it takes 1 or more",
    "redis:6379,syncTimeout=0": "a value for syncTimeout that the app cannot work with; it takes 1 or more",
    "redis:6379,asyncTimeout=-5": "a value for asyncTimeout that the app cannot work with; it takes 1 or more",
    "redis:6379,defaultDatabase=-1": "a value for defaultDatabase that the app cannot work with; it takes 0 or more",
    "redis:6379,protocol=9": "a value for protocol that the app cannot work with; it takes resp2, resp3, 2 or 3",
    "redis:6379,protocol=SECRET": "a value for protocol that the app cannot work with",
    "redis:6379,protocol=": "a value for protocol that the app cannot work with",
    "redis:6379,protocol=2.0": "a value for protocol that the app cannot work with",
    "redis:6379,sslProtocols=Tls99": "a value for sslProtocols that the app cannot work with; it takes None, Ssl2",
    "redis:6379,sslProtocols=Tls12|": "a value for sslProtocols that the app cannot work with",
    "redis:6379,sslProtocols=Tls1.2": "a value for sslProtocols that the app cannot work with",
    "redis:6379,sslProtocols=Tls12|3072": "a value for sslProtocols that the app cannot work with",
    "redis:6379,sslProtocols=1": "a value for sslProtocols that the app cannot work with",
    "redis:6379,proxy=SECRET": "a value for proxy that the app cannot work with; it takes None, Twemproxy, Envoyproxy",
    "redis:6379,proxy=3": "a value for proxy that the app cannot work with",
    "redis:6379,version=abc": "a value for version that the app cannot work with; it takes one to four numbers",
    "redis:6379,version=7.": "a value for version that the app cannot work with",
    "redis:6379,version=1.2.3.4.5": "a value for version that the app cannot work with",
    "redis:6379,version=v7": "a value for version that the app cannot work with",
    "redis:6379,tunnel=socks:proxy:1080": "a value for tunnel that the app cannot work with; it takes http:host:port",
    "redis:6379,tunnel=http://smith:SECRET@proxy:3128": "a value for tunnel that the app cannot work with",
    "redis:6379,password:4711": "an option with a colon, item 2",
    "password:4711,redis:6379": "an option with a colon, item 1",
    "smith:SECRET@redis:6379": "item 1; the app prints the text before an @ in Slack and in its log",
    "redis:6379,password=SECRET,SECRET": "a password cannot hold a comma",
    "redis:6379,password=SECRET,SECRET=SECRET": "a password cannot hold a comma",
    "redis:6379,password=SECRET,": "a password cannot hold a comma",
    "redis://cache": "a URL without a port: add it, as in redis://host:6379",
    "rediss://:SECRET@cache": "without a port: add it, as in rediss://host:6379",
    "redis://": "without an end point host:port",
    "redis://:6379": "without an end point host:port",
    "redis://:SECRET@:6379": "without an end point host:port",
    "redis://cache:SECRET": "without an end point host:port",
    "redis://cache:0": "without an end point host:port",
    "redis://cache:6379/0": "database path",
    "redis://:SECRET@cache:6379/4711": "database path",
    "redis://:SEC/RET@cache:6379": "a / in a password as %2F",
    "redis://one:6379,two:6379": "several hosts",
    "redis://:SECRET@one:6379,two:6379": "several hosts",
    "redis://:SEC,RET@cache:6379": "a comma in its user or password",
    "redis://:SEC%2CRET@cache:6379": "a comma in its user or password",
    "redis://SEC%2CRET:x@cache:6379": "a comma in its user or password",
    "redis://cache:6379?ssl=SECRET": "a query (?)",
    "redis://:SEC?RET@cache:6379": "a password as %3F or %23",
    "redis://:SEC#RET@cache:6379": "a password as %3F or %23",
    "redis://:SEC%RET@cache:6379": "write it as %25",
    "redis://:SECRET%@cache:6379": "write it as %25",
    "redis://:SECRET%FF@cache:6379": "is not UTF-8",
    "redis://:SECRET%20@cache:6379": "white space",
    "redis://:SECRET%0A@cache:6379": "white space",
    "redis://:SECRET@cache:6379,password=SECRET": "several hosts",
    "redis-sentinel://cache:26379": "neither with redis:// nor with rediss://",
    "https://cache:6379": "neither with redis:// nor with rediss://",
    "unix:///var/run/SECRET.sock": "neither with redis:// nor with rediss://",
}


@pytest.mark.parametrize(("url", "configuration"), CONVERTED.items())
def test_a_url_is_converted(url: str, configuration: str) -> None:
    assert configuration_of(url) == configuration
    check_configuration(configuration)


@pytest.mark.parametrize("configuration", KEPT)
def test_a_configuration_string_stays_as_it_is(configuration: str) -> None:
    assert configuration_of(configuration) == configuration
    check_configuration(configuration)


@pytest.mark.parametrize(("value", "reason"), REFUSED.items())
def test_what_cannot_work_is_refused_with_the_reason(value: str, reason: str) -> None:
    with pytest.raises(RedisConfigurationError) as refusal:
        configuration_of(value)
    assert reason in str(refusal.value)
    assert "SECRET" not in str(refusal.value)
    assert "4711" not in str(refusal.value)


@pytest.mark.parametrize("url", [*CONVERTED, "redis+sentinel://SECRET@cache:1", "https://cache:6379", "x://"])
def test_a_url_that_nobody_converts_is_refused(url: str) -> None:
    with pytest.raises(RedisConfigurationError, match="is a URL, which the app cannot read") as refusal:
        check_configuration(url)
    printed = "whose password it prints in Slack and in its log" in str(refusal.value)
    assert printed == ("@" in url)
    assert "SECRET" not in str(refusal.value).upper()


@pytest.mark.parametrize(
    "configuration",
    [
        "redis:6379\n",
        " redis:6379 , abortConnect = false ,\r\n",
        "redis:6379,password=se cret",
        "redis:6379, password = se cret , ssl\t=\ttrue",
        "redis:6379,name=a b,channelPrefix=c d",
    ],
)
def test_white_space_that_the_app_bears_is_no_fault_of_what_it_reads(configuration: str) -> None:
    check_configuration(configuration)
    with pytest.raises(RedisConfigurationError, match="white space"):  # in what is ours to write
        configuration_of(configuration)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (" redis://:SECRET@redis:6379", "is a URL"),
        ("red is:6379", "no end point"),
        ("redis: 6379", "no end point"),
        ("redis:6379,ss l=true", "unknown option"),
        ("redis:6379,ssl=tr ue", "neither true nor false"),
        ("redis:6379,password=SECRET\nSECRET", "a line end or another control character"),
        ("redis:6379,password=SECRET, SECRET", "cannot hold a comma"),
        ("\ufeffredis:6379", "no end point"),
    ],
)
def test_white_space_inside_of_anything_else_is_one(configuration: str, reason: str) -> None:
    with pytest.raises(RedisConfigurationError, match=reason) as refusal:
        check_configuration(configuration)
    assert "SECRET" not in str(refusal.value)


@given(st.text() | st.from_regex(r"rediss?://[a:@%2C,/?#\[\]0-9]*", fullmatch=True))
def test_any_text_is_converted_to_something_usable_or_refused(value: str) -> None:
    try:
        configuration = configuration_of(value)
    except RedisConfigurationError as refusal:
        assert str(refusal)
    else:
        check_configuration(configuration)


@pytest.mark.parametrize(
    ("configuration", "credentials"),
    [
        ("redis:6379,abortConnect=false", ("", "")),
        ("redis:6379,password=a=b:c", ("", "a=b:c")),
        ("redis:6379,User=smith,PASSWORD=secret", ("smith", "secret")),
        ("", ("", "")),
        ("redis:6379, User = smith , password = se cret\n", ("smith", "se cret")),
        ("redis:6379,ssl", ("", "")),
    ],
)
def test_credentials(configuration: str, credentials: tuple[str, str]) -> None:
    assert credentials_of(configuration) == credentials


@pytest.mark.parametrize(
    ("configuration", "endpoints", "plain"),
    [
        ("redis", [("redis", 6379)], True),
        ("fd00::7", [("fd00::7", 6379)], True),
        ("[fd00::7]:6380,password=a=b", [("fd00::7", 6380)], True),
        (" a:1 , b:2 ,abortConnect=false", [("a", 1), ("b", 2)], True),
        ("cache.example.com,ssl=True", [("cache.example.com", 6380)], False),
        ("a:26379,serviceName=mymaster", [("a", 26379)], False),
    ],
)
def test_the_end_points(configuration: str, endpoints: list[tuple[str, int]], plain: bool) -> None:
    check_configuration(configuration)
    assert endpoints_of(configuration) == endpoints
    assert takes_plain_commands(configuration) is plain


@pytest.mark.parametrize("address", ["fd00::zz", "1:2:3", "::1%eth0", "fd00::7]", "[fd00::7"])
def test_what_only_looks_like_an_address(address: str) -> None:
    with pytest.raises(RedisConfigurationError, match="no end point"):
        check_configuration(address)
