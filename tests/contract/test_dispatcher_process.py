# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Dispatcher starts, keeps its Redis and stops: the app's contract as a process."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from awaiting import await_condition
from background_process import BackgroundProcess
from build_under_test import Image, dispatcher_build
from dispatcher_under_test import REDIS_PASSWORD, SIGNING_SECRET, listening_url
from redis import Redis
from slack_request import SlackSender, request, signature_headers

Start = Callable[..., BackgroundProcess]


@pytest.fixture
def redis_port(free_port: int, start_redis: Start) -> int:
    """The port of a running Redis without a password."""
    start_redis(free_port)
    return free_port


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listening socket where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.fixture
def silent_port(silent: socket.socket) -> int:
    """The port of it."""
    return silent.getsockname()[1]


UNREACHABLE = (
    "StackExchange.Redis.RedisConnectionException: It was not possible to connect to the redis server(s). "
    "Error connecting right now."
)


def other_clients(port: int) -> int:
    with Redis(port=port) as client:
        return len(client.client_list()) - 1


def assert_crash(process: BackgroundProcess, *parts: str) -> None:
    # The runtime aborts: seen as the signal itself, or as a shell puts it. In a container it is process 1, which
    # no signal of its own ends: abort() then does so by a forbidden instruction (dotnet/runtime issue 102785).
    aborted = (-signal.SIGABRT, 128 + signal.SIGABRT)
    in_a_container = (128 + signal.SIGSEGV,) if isinstance(dispatcher_build(), Image) else ()
    # A name that nobody answers for takes three time-outs of 5 s.
    assert process.wait(timeout=40) in aborted + in_a_container
    for part in parts:
        assert part in process.output
    assert "Now listening" not in process.output


def test_redis_is_connected_before_it_listens(redis_port: int, start_dispatcher: Start) -> None:
    listening_url(start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}"))
    assert other_clients(redis_port) >= 1


def test_the_redis_of_its_own_host_is_the_default(start_dispatcher: Start) -> None:
    dual_stack = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual_stack else socket.AF_INET
    try:
        listener = socket.create_server(("", 6379), family=family, dualstack_ipv6=dual_stack)
    except OSError:
        pytest.skip("something else listens on port 6379 of this machine, and would be asked")
    with listener:
        listener.settimeout(20)
        start_dispatcher()
        listener.accept()[0].close()


def test_a_redis_url_with_a_scheme_is_a_host_name(redis_port: int, start_dispatcher: Start) -> None:
    url = f"redis://127.0.0.1:{redis_port}"
    assert_crash(start_dispatcher(REDIS_URL=url), UNREACHABLE)
    assert other_clients(redis_port) == 0


def test_a_password_in_a_redis_url_with_a_scheme_is_not_shown(start_dispatcher: Start) -> None:
    # The fixture `processes` looks for the password.
    assert_crash(start_dispatcher(REDIS_URL=f"redis://:{REDIS_PASSWORD}@127.0.0.1:6379"), UNREACHABLE)


def test_an_unreachable_redis_ends_it(free_port: int, start_dispatcher: Start) -> None:
    address = f"127.0.0.1:{free_port}"
    process = start_dispatcher(REDIS_URL=address)
    assert_crash(process, UNREACHABLE, "use abortConnect=false in your connection string")
    # It does not say which Redis, and has not come to the Jobs yet.
    assert address not in process.output
    assert "Spawner type" not in process.output


def test_it_gives_up_after_its_attempts_and_timeouts(
    silent: socket.socket, silent_port: int, start_dispatcher: Start
) -> None:
    started = time.monotonic()
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{silent_port},connectRetry=3,connectTimeout=400")
    assert_crash(process, UNREACHABLE)
    # Three times 0.4 s; the rest is the start of the process on a busy machine.
    assert 1.2 <= time.monotonic() - started < 10
    silent.settimeout(0)
    for _ in range(3):
        silent.accept()[0].close()


@pytest.mark.parametrize(("url", "part"), [("", "ArgumentException"), ("redis,conectTimeout=1", "'conectTimeout'")])
def test_a_wrong_redis_url_ends_it(url: str, part: str, start_dispatcher: Start) -> None:
    assert_crash(start_dispatcher(REDIS_URL=url), "ArgumentException", part)


@pytest.mark.parametrize(
    "option", ["protocol=9", "sslProtocols=Tls99", "version=abc", "connectTimeout=-1", "syncTimeout=0"]
)
def test_a_value_that_the_library_does_not_know_ends_it(option: str, redis_port: int, start_dispatcher: Start) -> None:
    assert_crash(start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port},{option}"))


def test_a_wrong_redis_password_ends_it(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port, REDIS_PASSWORD)
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port},password=other")
    assert_crash(process, "RedisConnectionException", "authentication failure")
    assert_crash(start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port}"), "authentication failure")


def test_the_redis_password_is_used(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port, REDIS_PASSWORD)
    listening_url(start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port},password={REDIS_PASSWORD}"))


def test_a_redis_password_that_nobody_asked_for_does_no_harm(redis_port: int, start_dispatcher: Start) -> None:
    listening_url(start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port},password={REDIS_PASSWORD}"))


def test_without_abort_connect_it_waits_for_redis(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port},abortConnect=false,connectTimeout=500")
    url = listening_url(process)
    assert request(url, "GET", "/health").status == 200
    for _ in range(2):
        redis = start_redis(free_port)
        await_condition(lambda: other_clients(free_port) >= 1)
        redis.kill()
        # A restart of Redis never shows in /health.
        assert request(url, "GET", "/health").status == 200


def test_a_blank_signing_secret_switches_the_check_off(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}", SLACK_SIGNING_SECRET=" ")
    sender = SlackSender(listening_url(process), "another secret")
    assert sender.event({"type": "url_verification", "challenge": "c"}).status == 200
    assert sender.event("{", headers={}).status == 500


def test_it_listens_on_every_address(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}", ASPNETCORE_URLS="http://+:0;http://127.0.0.1:0")
    ports = [urlsplit(listening_url(process)).port for _ in range(2)]
    assert [request(f"http://127.0.0.1:{port}", "GET", "/health").status for port in ports] == [200, 200]


def test_a_taken_port_ends_it(redis_port: int, silent_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}", ASPNETCORE_URLS=f"http://127.0.0.1:{silent_port}")
    assert_crash(process, "Failed to bind to", f"127.0.0.1:{silent_port}")


def test_a_probe_writes_twelve_lines(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}")
    lines = log_of_one_probe(process)
    (first,) = (number for number, line in enumerate(lines) if "Request starting" in line)
    (last,) = (number for number, line in enumerate(lines) if "Request finished" in line)
    # The line before the first one is its category.
    assert last - first + 2 == 12
    assert all(line.startswith("info: Microsoft.AspNetCore.") for line in lines[first - 1 : last : 2])


def test_a_probe_writes_nothing_if_the_log_level_says_so(redis_port: int, start_dispatcher: Start) -> None:
    level = {"Logging__LogLevel__Microsoft.AspNetCore": "Warning"}
    lines = log_of_one_probe(start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}", **level))
    # Not the warning at the start of an image, whose base sets ASPNETCORE_HTTP_PORTS besides.
    assert not any("Request" in line or line.startswith("info: Microsoft.AspNetCore") for line in lines)
    assert any("Microsoft.Hosting.Lifetime" in line for line in lines)


def test_sigterm_ends_it(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}")
    listening_url(process)
    process.expect("Application started")
    process.signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert other_clients(redis_port) == 0


def test_sigterm_does_not_wait_for_idle_connections(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}")
    with connect(listening_url(process)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: d\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        process.signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_sigterm_lets_a_running_request_finish(redis_port: int, start_dispatcher: Start) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{redis_port}")
    url = listening_url(process)
    body = b'{"type": "url_verification", "challenge": "unhurried"}'
    headers = {"Host": "d", "Content-Length": str(len(body)), "Expect": "100-continue"}
    headers |= signature_headers(SIGNING_SECRET, body)
    with connect(url) as connection:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(["POST /slack/events HTTP/1.1", *lines, "", ""]).encode())
        # The server asks for the body, so it is at work on the request.
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body[:10])
        process.signal(signal.SIGTERM)
        await_condition(lambda: refuses_connections(url))
        connection.sendall(body[10:])
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"unhurried" in answer
    assert process.wait(timeout=10) == 0


def test_sigterm_ends_it_while_redis_is_awaited(
    silent: socket.socket, silent_port: int, start_dispatcher: Start
) -> None:
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{silent_port},connectTimeout=60000")
    with silent.accept()[0]:
        process.signal(signal.SIGTERM)
        process.wait(timeout=10)
    assert "Now listening" not in process.output


def log_of_one_probe(process: BackgroundProcess) -> list[str]:
    assert request(listening_url(process), "GET", "/health").status == 200
    process.signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    return process.output.splitlines()


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def refuses_connections(url: str) -> bool:
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return True
    return False
