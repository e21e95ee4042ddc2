# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in Slack: the Web API that the Dispatcher calls, the JSON API of its page, and what it sends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from awaiting import await_condition
from background_process import BackgroundProcess
from certificate_authority import issue
from cryptography import x509
from dispatcher_under_test import listening_url
from recording_dispatcher import RecordingDispatcher
from slack_person import CHANNEL, SlackPerson
from slack_request import request
from stand_in_platform import Platform, start_slack

BOT = {"Authorization": "Bearer xoxb-1", "Content-Type": "application/json"}


@pytest.fixture
def dispatcher() -> Iterator[RecordingDispatcher]:
    """A Dispatcher that only listens."""
    recording = RecordingDispatcher()
    yield recording
    recording.close()


@pytest.fixture
def slack(
    processes: list[BackgroundProcess],
    dispatcher: RecordingDispatcher,
    tmp_path: Path,
) -> BackgroundProcess:
    """The stand-in Slack in front of it."""
    return start_slack(processes, tmp_path, dispatcher.url)


@pytest.fixture
def person(slack: BackgroundProcess) -> SlackPerson:
    """Somebody who writes in it."""
    return SlackPerson(listening_url(slack))


@pytest.fixture
def call(person: SlackPerson) -> Callable[..., dict[str, object]]:
    """Calls a method of the Web API, as a bot unless other headers are given."""

    def call_method(method: str, body: object = None, headers: dict[str, str] = BOT) -> dict[str, object]:
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        answer = request(person.url, "POST", f"/api/{method}", data, headers)
        assert answer.status == 200
        return json.loads(answer.body)

    return call_method


Call = Callable[..., dict[str, object]]


def test_a_bot_posts_and_updates(call: Call, person: SlackPerson) -> None:
    posted = call("chat.postMessage", {"channel": CHANNEL, "text": "one"})
    assert (posted["ok"], posted["channel"]) == (True, CHANNEL)
    assert [message["text"] for message in person.messages()] == ["one"]
    updated = call("chat.update", {"channel": CHANNEL, "ts": posted["ts"], "text": "two"})
    assert (updated["ok"], updated["ts"], updated["text"]) == (True, posted["ts"], "two")
    (message,) = person.messages()
    assert (message["text"], message["ts"], "edited" in message) == ("two", posted["ts"], True)
    history = call("conversations.history", {"channel": CHANNEL})
    assert history["messages"] == [message]


def test_a_reply_keeps_its_thread(call: Call, person: SlackPerson) -> None:
    ts = call("chat.postMessage", {"channel": CHANNEL, "text": "one"})["ts"]
    call("chat.postMessage", {"channel": CHANNEL, "text": "detail", "thread_ts": ts})
    assert [message.get("thread_ts") for message in person.messages()] == [None, ts]


def test_arguments_may_be_a_form_and_a_query(call: Call, person: SlackPerson) -> None:
    form = {"Authorization": "Bearer xoxb-1", "Content-Type": "application/x-www-form-urlencoded"}
    assert call("chat.postMessage", f"channel={CHANNEL}&text=a+b".encode(), form)["ok"]
    answer = request(person.url, "GET", f"/api/conversations.history?channel={CHANNEL}", headers=BOT)
    assert [message["text"] for message in json.loads(answer.body)["messages"]] == ["a b"]


def test_a_bot_learns_who_it_is_and_which_channels_there_are(call: Call) -> None:
    assert call("auth.test")["user_id"] == "U0AGENTSMITH"
    assert [channel["name"] for channel in call("conversations.list")["channels"]] == ["agent-smith", "another-channel"]


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, "not_authed"),
        ("Bearer ", "not_authed"),
        ("Bearer xapp-1", "invalid_auth"),
        ("Bearer xoxb-", "invalid_auth"),
        ("xoxb-1", "invalid_auth"),
    ],
)
def test_the_token_has_to_look_like_a_bots(call: Call, authorization: str | None, error: str) -> None:
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    assert call("auth.test", headers=headers) == {"ok": False, "error": error}


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("chat.postMessage", {"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": ["x"]}, "invalid_arguments"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", b"{", "invalid_json"),
        ("chat.postMessage", b"[]", "json_not_object"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x", "thread_ts": 1.5}, "invalid_arguments"),
        ("chat.update", {"channel": CHANNEL, "ts": "1.0", "text": "x"}, "message_not_found"),
        ("chat.delete", {}, "unknown_method"),
    ],
)
def test_errors_of_the_web_api(call: Call, method: str, body: object, error: str) -> None:
    assert call(method, body) == {"ok": False, "error": error}


def test_a_bot_cannot_change_what_a_person_said(call: Call, person: SlackPerson) -> None:
    ts = person.say("mine")["ts"]
    assert call("chat.update", {"channel": CHANNEL, "ts": ts, "text": "x"})["error"] == "cant_update_message"


def test_a_message_is_sent_as_a_signed_event(person: SlackPerson, dispatcher: RecordingDispatcher) -> None:
    said = person.say(" fix #54 in p ")
    path, body = dispatcher.next_request()
    event = json.loads(body)
    assert (path, event["type"]) == ("/slack/events", "event_callback")
    assert event["event"] == {
        "type": "message",
        "channel": CHANNEL,
        "channel_type": "channel",
        "user": "U0PERSON",
        "text": "fix #54 in p",
        "ts": said["ts"],
        "event_ts": said["ts"],
    }
    await_condition(lambda: person.messages()[0].get("delivery") == "delivered")


def test_a_button_is_sent_as_a_signed_interaction(
    call: Call, person: SlackPerson, dispatcher: RecordingDispatcher
) -> None:
    button = {"type": "button", "action_id": "q1:yes", "value": "yes", "text": {"type": "plain_text", "text": "Yes"}}
    blocks = [{"type": "actions", "block_id": "q1", "elements": [button]}]
    ts = call("chat.postMessage", {"channel": CHANNEL, "text": "Really?", "blocks": blocks})["ts"]
    person.press(person.messages()[0], "yes")
    path, body = dispatcher.next_request()
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    assert (path, payload["type"]) == ("/slack/interact", "block_actions")
    assert payload["channel"] == {"id": CHANNEL, "name": "agent-smith"}
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == ts
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("q1:yes", "q1", "yes")


def test_an_event_that_is_refused_is_shown(person: SlackPerson, dispatcher: RecordingDispatcher) -> None:
    dispatcher.status = 401
    person.say("hello")
    await_condition(lambda: person.messages()[0].get("delivery") == "HTTP 401 from the Dispatcher")


def test_a_page_in_front_of_the_dispatcher_is_shown(person: SlackPerson, dispatcher: RecordingDispatcher) -> None:
    dispatcher.body = b"<html>MARKED</html>"
    person.say("hello")
    await_condition(lambda: "HTTP 200 with text/html in it" in person.messages()[0].get("delivery", ""))
    assert "MARKED" not in str(person.messages())


def test_a_dispatcher_that_is_gone_is_shown(person: SlackPerson, dispatcher: RecordingDispatcher) -> None:
    dispatcher.close()
    person.say("hello")
    await_condition(lambda: "cannot be reached" in person.messages()[0].get("delivery", ""))


def test_a_dispatcher_that_does_not_answer_is_shown(processes: list[BackgroundProcess], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slack = start_slack(processes, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
        person = SlackPerson(listening_url(slack))
        person.say("hello")
        await_condition(lambda: person.messages()[0].get("delivery") == "no answer of the Dispatcher within 3 s")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/channels/C0NONE/messages", None, 404, "channel_not_found"),
        ("POST", "/channels/C0NONE/messages", {"text": "x"}, 404, "channel_not_found"),
        ("POST", f"/channels/{CHANNEL}/messages", {"text": " "}, 400, "no_text"),
        ("POST", f"/channels/{CHANNEL}/messages", {}, 400, "no_text"),
        ("POST", f"/channels/{CHANNEL}/messages", [], 400, "json_not_object"),
        ("POST", f"/channels/{CHANNEL}/messages/1.0/actions", {"action_id": "x"}, 404, "message_not_found"),
        ("POST", "/channels", {"name": "Not So"}, 400, "invalid_name"),
        ("POST", "/channels", {"name": "agent-smith"}, 400, "name_taken"),
    ],
)
def test_errors_of_the_json_api(
    person: SlackPerson, method: str, path: str, body: object, status: int, error: str
) -> None:
    assert person.call(method, path, body, status) == {"error": error}
    assert person.messages() == []


def test_a_button_that_is_not_there(person: SlackPerson) -> None:
    ts = person.say("hello")["ts"]
    path = f"/channels/{CHANNEL}/messages/{ts}/actions"
    assert person.call("POST", path, {"action_id": "q:yes"}, 404) == {"error": "action_not_found"}


def test_changes_are_streamed_and_the_stream_ends_with_the_program(
    slack: BackgroundProcess, person: SlackPerson
) -> None:
    connection = http.client.HTTPConnection(urlsplit(person.url).netloc, timeout=20)
    connection.request("GET", "/stand-in/changes")
    stream = connection.getresponse()
    assert stream.getheader("Content-Type") == "text/event-stream"
    assert stream.readline() == b": connected\n"
    channel = person.add_channel("team-two")
    assert next_change(stream)["channel"]["id"] == channel
    said = person.say("hello", channel)
    assert next_change(stream) == {"channel_id": channel, "message": said}
    assert next_change(stream) == {"channel_id": channel, "message": said | {"delivery": "delivered"}}
    slack.signal(signal.SIGTERM)
    assert slack.wait(timeout=10) == 0
    assert stream.read().strip() == b""
    connection.close()


def test_a_reader_that_is_gone_does_no_harm(slack: BackgroundProcess, person: SlackPerson) -> None:
    for _ in range(3):
        connection = http.client.HTTPConnection(urlsplit(person.url).netloc, timeout=20)
        connection.request("GET", "/stand-in/changes")
        connection.getresponse().readline()
        connection.close()
    for text in ("one", "two", "three"):
        person.say(text)
    await_condition(lambda: all("delivery" in message for message in person.messages()))
    slack.signal(signal.SIGTERM)
    assert slack.wait(timeout=10) == 0
    assert "Traceback" not in slack.output


def test_the_page_has_nothing_from_anywhere_else(person: SlackPerson) -> None:
    for path, kind in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]:
        answer = request(person.url, "GET", path)
        assert (answer.status, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"""(src|href|url)[=(]\s*["']?(https?:)?//""", answer.body)
    assert request(person.url, "GET", "/page.py").status == 404


def test_it_answers_probes(person: SlackPerson) -> None:
    assert json.loads(request(person.url, "GET", "/health").body) == {"status": "ok"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SLACK_SIGNING_SECRET_FILE", " ", "SLACK_SIGNING_SECRET_FILE is not set"),
        ("SLACK_SIGNING_SECRET_FILE", "/nonexistent", "/nonexistent cannot be read: No such file or directory."),
        ("SLACK_SIGNING_SECRET_FILE", os.devnull, f"{os.devnull} is empty."),
        ("STAND_IN_DISPATCHER_URL", " ", "STAND_IN_DISPATCHER_URL is not set"),
        ("STAND_IN_SLACK_URLS", "ftp://+:21", "STAND_IN_SLACK_URLS: 'ftp://+:21' is not http://host:port or https://"),
        (
            "STAND_IN_SLACK_URLS",
            "https://+:8443",
            "STAND_IN_SLACK_CERTIFICATE_FILE is not set: STAND_IN_SLACK_URLS has",
        ),
    ],
)
def test_it_does_not_start_without_its_variables(
    processes: list[BackgroundProcess], tmp_path: Path, name: str, value: str, message: str
) -> None:
    slack = start_slack(processes, tmp_path, "http://127.0.0.1:1", **{name: value})
    assert slack.wait() == 1
    assert message in slack.output
    assert slack.output.splitlines()[1].strip().startswith("STAND-IN: this is test equipment")


@pytest.fixture
def issued(tmp_path: Path) -> dict[str, Path]:
    """A certificate for localhost with its key, and the authority that issued it; all in files."""
    authority = issue("authority", now=datetime.now(UTC))
    server = issue("slack", authority, (x509.DNSName("localhost"),), now=datetime.now(UTC))
    paths = {name: tmp_path / name for name in ("ca.crt", "tls.crt", "tls.key")}
    for path, content in zip(paths.values(), (authority.pem, server.pem, server.key_pem()), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


@pytest.fixture
def tls_slack(processes: list[BackgroundProcess], tmp_path: Path, issued: dict[str, Path]) -> BackgroundProcess:
    """The stand-in Slack with http and https, in this order."""
    return start_slack(
        processes,
        tmp_path,
        "http://127.0.0.1:1",
        STAND_IN_SLACK_URLS="http://127.0.0.1:0;https://127.0.0.1:0",
        STAND_IN_SLACK_CERTIFICATE_FILE=str(issued["tls.crt"]),
        STAND_IN_SLACK_KEY_FILE=str(issued["tls.key"]),
    )


def test_a_bot_that_trusts_the_authority_calls_it_over_tls(
    tls_slack: BackgroundProcess, issued: dict[str, Path]
) -> None:
    person = SlackPerson(listening_url(tls_slack))
    port = int(tls_slack.expect(r"Now listening on: https://127\.0\.0\.1:(\d+)")[1])
    trusting = ssl.create_default_context(cafile=issued["ca.crt"])
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=trusting)
    for method, body in [("auth.test", {}), ("chat.postMessage", {"channel": CHANNEL, "text": "over TLS"})]:
        connection.request("POST", f"/api/{method}", json.dumps(body), BOT)
        assert connection.sock.selected_alpn_protocol() == "http/1.1"
        assert json.loads(connection.getresponse().read())["ok"] is True
    connection.close()
    # One workspace behind both addresses
    assert person.texts() == ["over TLS"]
    tls_slack.expect(rf"POST https://localhost:{port}/api/chat\.postMessage: ok")
    assert issued["tls.key"].read_text().splitlines()[1] not in tls_slack.output


def test_a_client_that_does_not_trust_the_authority_refuses_it_and_does_no_harm(
    tls_slack: BackgroundProcess, issued: dict[str, Path]
) -> None:
    port = int(tls_slack.expect(r"Now listening on: https://127\.0\.0\.1:(\d+)")[1])
    issued["ca.crt"].write_text(issue("authority", now=datetime.now(UTC)).pem)
    for context, reason in [
        (ssl.create_default_context(), "unable to get local issuer|self-signed"),
        (ssl.create_default_context(cafile=issued["ca.crt"]), "signature failure|unable to get local issuer"),
    ]:
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            connection.request("POST", "/api/auth.test", "{}", BOT)
        connection.close()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not plain.recv(1000).startswith(b"HTTP/1.1 200")
    tls_slack.signal(signal.SIGTERM)
    assert tls_slack.wait(timeout=10) == 0
    assert "Traceback" not in tls_slack.output


@pytest.mark.parametrize("trusted", [True, False])
def test_a_dispatcher_converses_over_tls_with_a_slack_that_it_trusts_and_with_no_other(
    platform: Platform, tls_slack: BackgroundProcess, trusted: bool, tmp_path: Path
) -> None:
    port = int(tls_slack.expect(r"Now listening on: https://127\.0\.0\.1:(\d+)")[1])
    authority = tmp_path / "ca.crt"
    if not trusted:
        authority.write_text(issue("authority", now=datetime.now(UTC)).pem)
    platform.dispatcher.kill()
    api = {"STAND_IN_SLACK_API_URL": f"https://localhost:{port}/api", "SSL_CERT_FILE": str(authority)}
    dispatcher = platform.start_dispatcher(**api)
    platform.person.say("list tickets in short")
    if trusted:
        tls_slack.expect(rf"POST https://localhost:{port}/api/chat\.postMessage: ok")
    else:
        dispatcher.expect("Slack API call failed: chat.postMessage")
        dispatcher.expect("certificate verify failed")
        assert "chat.postMessage" not in tls_slack.output


def next_change(stream: http.client.HTTPResponse) -> dict[str, object]:
    """Read to the next change of a stream."""
    while not (line := stream.readline()).startswith(b"data: "):
        assert line, "the stream has ended"
    return json.loads(line.removeprefix(b"data: "))
