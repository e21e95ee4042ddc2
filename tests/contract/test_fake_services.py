# SPDX-License-Identifier: GPL-3.0-or-later
"""The services that a build under test calls, asked by clients that share no code with them."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from background_process import BackgroundProcess
from build_under_test import SERVICE_ACCOUNT, Program, Surroundings
from fake_github import FakeGitHub
from fake_kubernetes import JOBS, FakeKubernetes
from fake_openai import FakeOpenAi
from tls_front import TlsFront

TOKEN, KEY = "github-token", "openai-key"
REPOSITORY = "/repos/example/agent-smith-test"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    """A GitHub with one ticket."""
    with closing(FakeGitHub(tmp_path / "github", TOKEN)) as service:
        service.open_issue(12, "Title", "Body")
        yield service


@pytest.fixture
def openai() -> Iterator[FakeOpenAi]:
    """An OpenAI that refuses ticket 102."""
    with closing(FakeOpenAi(KEY, refused_ticket=102, long_ticket=104)) as service:
        yield service


@pytest.fixture
def kubernetes(tmp_path: Path) -> Iterator[FakeKubernetes]:
    """A Kubernetes whose pods end at once."""
    (tmp_path / "serviceaccount").mkdir()
    pods = []

    def run_pod(arguments: list[str], variables: dict[str, str]) -> BackgroundProcess:
        pods.append(BackgroundProcess(arguments, variables))
        return pods[-1]

    with closing(FakeKubernetes(tmp_path / "serviceaccount", {"key": "of-the-secret"}, run_pod)) as service:
        yield service
    for pod in pods:
        pod.kill()


def asked(
    method: str, url: str, headers: dict[str, str], body: object = None, trust: ssl.SSLContext | None = None
) -> tuple[int, dict[str, object]]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20, context=trust) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def octokit(github: FakeGitHub, method: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, object]:
    return asked(method, f"http://127.0.0.1:{github.api}{path}", {"Authorization": f"Token {token}"}, body)


def git(directory: Path, *arguments: str, name: str = TOKEN, password: str = "") -> None:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    header = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader"}
    header["GIT_CONFIG_VALUE_0"] = f"Authorization: Basic {credentials}"
    variables = {"PATH": os.environ["PATH"], "HOME": str(directory), "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, env=variables | header)


def test_github_has_tickets_for_those_who_have_its_token(github: FakeGitHub) -> None:
    path = f"{REPOSITORY}/issues/12"
    assert octokit(github, "GET", path, token="another") == (401, {"message": "Bad credentials"})
    status, issue = octokit(github, "GET", path)
    assert (status, issue["number"], issue["title"], issue["body"], issue["state"]) == (
        200,
        12,
        "Title",
        "Body",
        "open",
    )
    assert octokit(github, "POST", f"{path}/comments", {"body": "Done"})[0] == 201
    assert octokit(github, "PATCH", path, {"state": "closed", "title": None})[1]["state"] == "closed"
    assert octokit(github, "GET", f"{REPOSITORY}/issues") == (200, [])
    assert (github.issues[12].comments, github.issues[12].state) == (["Done"], "closed")
    for missing in (f"{REPOSITORY}/issues/13", "/repos/example/another/issues/12"):
        assert octokit(github, "GET", missing) == (404, {"message": "Not Found"})


@pytest.mark.parametrize(("name", "password"), [(TOKEN, ""), ("x-access-token", TOKEN)])
def test_git_clones_and_pushes(github: FakeGitHub, tmp_path: Path, name: str, password: str) -> None:
    url = f"http://127.0.0.1:{github.git}/example/agent-smith-test"
    git(tmp_path, "clone", "--quiet", f"{url}.git", "clone", name=name, password=password)
    clone = tmp_path / "clone"
    assert (clone / "README.md").read_text() == "# agent-smith-test\n"
    # Larger than git's buffer: it is sent in chunks, as libgit2 sends every push.
    (clone / "large").write_bytes(os.urandom(3 * 2**20))
    (clone / "small").write_text("small")
    git(clone, "switch", "--quiet", "--create", "fix/12")
    git(clone, "add", ".")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "Change")
    git(clone, "push", "--quiet", url, "+refs/heads/fix/12:refs/heads/fix/12", name=name, password=password)
    assert github.file("fix/12", "small") == "small"
    pull_request = {"title": "T", "head": "fix/12", "base": "main", "body": "B"}
    status, made = octokit(github, "POST", f"{REPOSITORY}/pulls", pull_request)
    assert (status, made["html_url"]) == (201, "https://github.com/example/agent-smith-test/pull/2000")
    for wrong in ({"head": "fix/13"}, {"head": "main"}, {}):
        assert octokit(github, "POST", f"{REPOSITORY}/pulls", pull_request | wrong)[0] == 422
    assert len(github.pull_requests) == 1


def test_git_needs_the_token(github: FakeGitHub, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{github.git}/example/agent-smith-test.git"
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, "clone", url, "clone", name="another")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/info/refs?service=git-receive-pack", timeout=20)
    # A client sends its credentials when it is asked to.
    assert (refused.value.code, refused.value.headers["WWW-Authenticate"]) == (401, 'Basic realm="GitHub"')


def test_openai_plans_and_writes_what_the_ticket_says(openai: FakeOpenAi) -> None:
    def complete(messages: list[dict[str, object]], **options: object) -> tuple[int, dict[str, object]]:
        body = {"model": "gpt-4.1", "messages": messages, **options}
        return asked(
            "POST", f"http://127.0.0.1:{openai.port}/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}, body
        )

    ticket = "**ID:** 7\n**Description:** Write `docs/a b.md`: Hello, world"
    # A text, or a list of parts: OpenAI's libraries send both.
    for content in (ticket, [{"type": "text", "text": ticket}]):
        _status, answer = complete([{"role": "user", "content": content}])
        (choice,) = answer["choices"]
        (step,) = json.loads(choice["message"]["content"])["steps"]
        assert (step["target_file"], choice["finish_reason"]) == ("docs/a b.md", "stop")
    task = f"Branch: fix/7\n  1. [Create] {step['description']} → {step['target_file']}\n"
    messages = [{"role": "system", "content": "Work."}, {"role": "user", "content": task}]
    tools = [{"type": "function", "function": {"name": name}} for name in ("read_file", "write_file")]
    _status, answer = complete(messages, tools=tools)
    (choice,) = answer["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(call["function"]["arguments"]) == {"path": "docs/a b.md", "content": "Hello, world"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "File written: docs/a b.md"}
    _status, answer = complete([*messages, choice["message"], result], tools=tools)
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert complete([*messages, choice["message"], result | {"tool_call_id": "call_other"}], tools=tools)[0] == 400
    assert complete(messages, tools=tools[:1])[0] == 400
    assert complete([{"role": "user", "content": "Nothing to do"}])[0] == 400
    assert complete([{"role": "user", "content": task.replace("/7", "/102")}], tools=tools)[0] == 401
    assert set(openai.models) == {"gpt-4.1"}


def test_openai_needs_the_key(openai: FakeOpenAi) -> None:
    url = f"http://127.0.0.1:{openai.port}/v1/chat/completions"
    status, answer = asked("POST", url, {"Authorization": "Bearer other"}, {"model": "m", "messages": []})
    assert (status, answer["error"]["code"]) == (401, "invalid_api_key")


def test_kubernetes_takes_ten_requests_at_once_beside_a_silent_client(kubernetes: FakeKubernetes) -> None:
    trust = ssl.create_default_context(cafile=str(kubernetes.service_account.directory / "ca.crt"))
    host, port = kubernetes.environment["KUBERNETES_SERVICE_HOST"], kubernetes.environment["KUBERNETES_SERVICE_PORT"]
    url = f"https://{host}:{port}{JOBS}"
    headers = {"Authorization": f"Bearer {kubernetes.service_account.token}"}
    all_ready = threading.Barrier(10)

    def create(number: int) -> tuple[int, dict[str, object]]:
        container = {"args": ["sh", "-c", "exit 3"], "env": []}
        spec = {"template": {"spec": {"containers": [container]}}}
        all_ready.wait(20)
        return asked("POST", url, headers, {"metadata": {"name": f"j{number}", "labels": {}}, "spec": spec}, trust)

    with socket.create_connection((host, int(port))), ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(create, range(10)))
    # The two that the path says are filled in, and only in the answer.
    assert {(status, job["apiVersion"], job["kind"]) for status, job in answers} == {(201, "batch/v1", "Job")}
    assert not any("kind" in job for job in kubernetes.jobs)
    status, job = asked("GET", f"{url}/j3", headers, trust=trust)
    assert (status, job["metadata"]["name"]) == (200, "j3")
    assert job["status"] in ({"active": 1}, {"failed": 1})
    assert asked("GET", f"{url}/other", headers, trust=trust)[0] == 404
    kubernetes.service_account.rotate_token()
    assert asked("GET", f"{url}/j3", headers, trust=trust)[0] == 401


def test_a_front_serves_the_names_that_it_was_given(github: FakeGitHub, openai: FakeOpenAi, tmp_path: Path) -> None:
    with closing(TlsFront(tmp_path, {"one.example": github.api, "two.example": openai.port})) as front:
        trust = ssl.create_default_context(cafile=str(front.certificate_authority))

        def first_words(name: str) -> bytes:
            with (
                socket.create_connection((front.address, 443), timeout=20) as connection,
                trust.wrap_socket(connection, server_hostname=name) as tls,
            ):
                tls.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
                return b"".join(iter(lambda: tls.recv(1), b"}"))

        assert b"Bad credentials" in first_words("one.example")
        assert b"Incorrect API key" in first_words("two.example")
        with pytest.raises(ssl.SSLError):
            first_words("three.example")
        assert set(front.hosts) == {"one.example", "two.example"}


def test_what_a_program_finds_around_it_is_there_for_it_alone(tmp_path: Path) -> None:
    app, service_account, authority = tmp_path / "app", tmp_path / "serviceaccount", tmp_path / "ca.pem"
    for directory in (app, service_account):
        directory.mkdir()
    (app / "config").mkdir()
    (app / "config" / "agentsmith.yml").write_text("of-the-app")
    (service_account / "token").write_text("of-the-account")
    authority.write_text("of-the-authority")
    hosts, run = Path("/etc/hosts").read_text(), sorted(os.listdir("/run"))  # noqa: PTH208 - names are enough
    script = f"cat /etc/hosts config/agentsmith.yml {SERVICE_ACCOUNT}/token $SSL_CERT_FILE; ls $SSL_CERT_DIR $TMPDIR"
    around = Surroundings(app, hosts={"slack.com": "127.1.2.3"}, certificate_authority=authority)
    with_account = Surroundings(app, around.slack_url, around.hosts, authority, service_account)
    # A shell could not set the second one.
    variables = {"OWN": "value", "Logging__LogLevel__Microsoft.AspNetCore": "Warning"}
    process = Program(["env"]).start([], variables, with_account)
    assert process.wait() == 0
    process.kill()
    assert {f"{name}={value}" for name, value in variables.items()} <= set(process.output.splitlines())
    process = Program(["sh", "-c", f"{script}; touch $TMPDIR/written"]).start([], {}, with_account)
    assert process.wait() == 0
    process.kill()
    for text in ("127.1.2.3 slack.com", "of-the-app", "of-the-account", "of-the-authority"):
        assert text in process.output
    process = Program(["cat", f"{SERVICE_ACCOUNT}/token"]).start([], {}, around)
    assert process.wait() != 0
    process.kill()
    assert Path("/etc/hosts").read_text() == hosts
    assert sorted(os.listdir("/run")) == run  # noqa: PTH208
