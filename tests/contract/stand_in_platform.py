# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything around a conversation: Redis, Slack, Dispatcher and a Kubernetes API whose Jobs run the agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from awaiting import await_condition
from background_process import BackgroundProcess
from build_under_test import STAND_IN, STAND_IN_COMMAND, Build, Surroundings, agent_build, dispatcher_build
from dispatcher_under_test import (
    SIGNING_SECRET,
    find_free_port,
    listening_url,
    start_dispatcher_process,
    start_redis_server,
    started_processes,
)
from fake_github import API_HOST, GIT_HOST, OWNER, REPOSITORY, FakeGitHub
from fake_kubernetes import NAMESPACE, FakeKubernetes
from fake_openai import HOST as OPENAI_HOST
from fake_openai import FakeOpenAi
from redis import Redis
from slack_person import SlackPerson
from tls_front import TlsFront

BOT_TOKEN = "xoxb-bot-token-of-these-tests"
SECRET = {"openai-api-key": "openai-key-of-these-tests", "github-token": "github-token-of-these-tests"}
REFUSED_TICKET, LONG_TICKET = 102, 104
"""What becomes of them at the stand-in agent, and so at the model of a real one."""
FIX_BUG = [
    "FetchTicketCommand",
    "CheckoutSourceCommand",
    "LoadCodingPrinciplesCommand",
    "AnalyzeCodeCommand",
    "GeneratePlanCommand",
    "ApprovalCommand",
    "AgenticExecuteCommand",
    "TestCommand",
    "CommitAndPRCommand",
]


def _project(pipeline: str = "fix-bug", tickets: str = "GitHub") -> dict[str, object]:
    place = {"url": f"https://{GIT_HOST}/{OWNER}/{REPOSITORY}"}
    return {
        "source": {"type": "GitHub", **place},
        "tickets": {"type": tickets, "organization": "example", "project": "example", **place},
        "agent": {"type": "OpenAI", "model": "gpt-4.1"},
        "pipeline": pipeline,
    }


# JSON is YAML
CONFIGURATION = json.dumps(
    {
        "projects": {
            "agent-smith-test": _project(),
            "on-azure": _project(tickets="AzureDevOps"),
            "short": _project("short"),
            "unknown-command": _project("unknown-command"),
        },
        "pipelines": {
            "fix-bug": {"commands": FIX_BUG},
            "short": {"commands": FIX_BUG[:1]},
            "unknown-command": {"commands": [FIX_BUG[0], "GenerateTestsCommand"]},
        },
    },
    indent=2,
)


class Platform:
    """What a test needs to reach: `person` writes, `kubernetes` has the Jobs, `agents` are their pods."""

    def __init__(
        self,
        started: list[BackgroundProcess],
        services: ExitStack,
        directory: Path,
        agent: Build,
        dispatcher: Build,
    ) -> None:
        """Start everything. `services` are closed in the end."""
        self._directory = directory
        self._agent = agent
        self._dispatcher = dispatcher
        self.redis_port = find_free_port()
        self.agents: list[BackgroundProcess] = []
        self.agent_app = _app_directory(directory / "agent")
        self.dispatcher_app = _app_directory(directory / "dispatcher")
        service_account = directory / "serviceaccount"
        service_account.mkdir()
        self.kubernetes = FakeKubernetes(service_account, SECRET, self._run_pod)
        services.callback(self.kubernetes.close)
        self._started = started
        self.redis = self.start_redis()
        # Dispatcher and Slack have to know each other's address.
        dispatcher_port, slack_port = find_free_port(), find_free_port()
        self.dispatcher_url = f"http://127.0.0.1:{dispatcher_port}"
        self._slack_url = f"http://127.0.0.1:{slack_port}"
        self.slack = self.start_slack()
        self.person = SlackPerson(self._slack_url)
        self._front: TlsFront | None = None
        if agent.real or dispatcher.real:
            self._start_public_services(services, slack_port)
        self.dispatcher = self.start_dispatcher()

    def _start_public_services(self, services: ExitStack, slack_port: int) -> None:
        """Start what a real build calls by its public name: tickets for every number that tests use, and a model."""
        self.github = FakeGitHub(self._directory / "github", SECRET["github-token"])
        services.callback(self.github.close)
        for number in (54, 101, REFUSED_TICKET, 103, LONG_TICKET):
            self.github.open_issue(number, f"Ticket {number}", f"Write `docs/ticket-{number}.md`: Hello from {number}")
        self.openai = FakeOpenAi(SECRET["openai-api-key"], REFUSED_TICKET, LONG_TICKET)
        services.callback(self.openai.close)
        ports = {API_HOST: self.github.api, GIT_HOST: self.github.git, OPENAI_HOST: self.openai.port}
        self._front = TlsFront(self._directory, {"slack.com": slack_port} | ports)
        services.callback(self._front.close)

    @property
    def redis_url(self) -> str:
        """What the Dispatcher's REDIS_URL is."""
        return f"127.0.0.1:{self.redis_port}"

    def start_redis(self) -> BackgroundProcess:
        """Start Redis where it was before, or for the first time."""
        self.redis = start_redis_server(self._started, self.redis_port)
        return self.redis

    def start_slack(self) -> BackgroundProcess:
        """Start Slack where it was before, or for the first time, and wait until it listens."""
        self.slack = start_slack(
            self._started, self._directory, self.dispatcher_url, STAND_IN_SLACK_URLS=self._slack_url
        )
        listening_url(self.slack)
        return self.slack

    def start_dispatcher(self, **environment: str) -> BackgroundProcess:
        """Start the Dispatcher where it was before, or for the first time, and wait until it listens."""
        variables = {
            "ASPNETCORE_URLS": self.dispatcher_url,
            "REDIS_URL": self.redis_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "GITHUB_TOKEN": SECRET["github-token"],
            "K8S_NAMESPACE": NAMESPACE,
            "AGENTSMITH_IMAGE": "localhost/agent:under-test",
            "IMAGE_PULL_POLICY": "Never",
            **self.kubernetes.environment,
            **environment,
        }
        around = self._around(self.dispatcher_app, self.kubernetes.service_account.directory)
        self.dispatcher = start_dispatcher_process(self._started, around, self._dispatcher, **variables)
        listening_url(self.dispatcher)
        return self.dispatcher

    def start_agent(self, arguments: list[str], **variables: str) -> BackgroundProcess:
        """Start an agent where its image has its files, and do not wait."""
        agent = self._agent.start(arguments, variables, self._around(self.agent_app))
        self._started.append(agent)
        return agent

    def await_free_channels(self) -> None:
        """Wait until no channel has a job. The last message about one comes before its channel is free."""
        with Redis(port=self.redis_port) as redis:
            await_condition(lambda: not redis.keys("conversation:*"))

    def _run_pod(self, arguments: list[str], variables: dict[str, str]) -> BackgroundProcess:
        self.agents.append(self.start_agent(arguments, **variables))
        return self.agents[-1]

    def _around(self, app: Path, service_account: Path | None = None) -> Surroundings:
        if self._front is None:
            return Surroundings(app, self._slack_url, service_account=service_account)
        front = (self._front.hosts, self._front.certificate_authority)
        return Surroundings(app, self._slack_url, *front, service_account)


def start_slack(
    started: list[BackgroundProcess], directory: Path, dispatcher_url: str, **environment: str
) -> BackgroundProcess:
    """Start the stand-in Slack, with its secret in a file of *directory*; do not wait."""
    secret = directory / "slack-signing-secret"
    secret.write_text(SIGNING_SECRET, encoding="utf-8")
    variables = {
        "PYTHONPATH": str(STAND_IN),
        "SLACK_SIGNING_SECRET_FILE": str(secret),
        "STAND_IN_DISPATCHER_URL": dispatcher_url,
        "STAND_IN_SLACK_URLS": "http://127.0.0.1:0",
    }
    process = BackgroundProcess([*STAND_IN_COMMAND, "slack"], variables | environment, STAND_IN)
    started.append(process)
    return process


@contextmanager
def running_platform(
    directory: Path, agent: Build | None = None, dispatcher: Build | None = None
) -> Iterator[Platform]:
    """Start everything, with other builds than those under test where they are given.

    In the end it is gone, and nothing has written a secret.
    """
    with started_processes() as started, ExitStack() as services:
        platform = Platform(started, services, directory, agent or agent_build(), dispatcher or dispatcher_build())
        yield platform
    for process in started:
        for secret in (BOT_TOKEN, platform.kubernetes.service_account.token, *SECRET.values()):
            assert secret not in process.output


def _app_directory(directory: Path) -> Path:
    """Make what /app is in a container."""
    (directory / "config").mkdir(parents=True)
    (directory / "config" / "agentsmith.yml").write_text(CONFIGURATION)
    (directory / "config" / "coding-principles.md").write_text("Small and plain.\n")
    return directory
