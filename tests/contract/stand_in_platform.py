# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything around a conversation: Redis, Slack, Dispatcher and a Kubernetes API whose Jobs run the agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from background_process import BackgroundProcess
from dispatcher_under_test import (
    SIGNING_SECRET,
    STAND_IN,
    dispatcher_command,
    find_free_port,
    listening_url,
    start_dispatcher_process,
    start_redis_server,
    started_processes,
)
from fake_kubernetes import NAMESPACE, FakeKubernetes
from slack_person import SlackPerson

BOT_TOKEN = "xoxb-bot-token-of-these-tests"
SECRET = {"anthropic-api-key": "anthropic-key-of-these-tests", "github-token": "github-token-of-these-tests"}
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
    place = {"url": "https://github.com/example/agent-smith-test"}
    return {
        "source": {"type": "GitHub", **place},
        "tickets": {"type": tickets, "organization": "example", "project": "example", **place},
        "agent": {"type": "Claude", "model": "some-model"},
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

    def __init__(self, started: list[BackgroundProcess], directory: Path, app: str = "") -> None:
        """`app` is the version that the stand-in stands in for; empty for its default."""
        self._directory = directory
        # What the image of a program sets.
        self._image = {"PYTHONPATH": str(STAND_IN)} | ({"STAND_IN_APP": app} if app else {})
        self.redis_port = find_free_port()
        self.agents: list[BackgroundProcess] = []
        self.agent_app = _app_directory(directory / "agent")
        self.dispatcher_app = _app_directory(directory / "dispatcher")
        service_account = directory / "serviceaccount"
        service_account.mkdir()
        self.kubernetes = FakeKubernetes(service_account, SECRET, self._run_pod)
        self._started = started
        self.redis = self.start_redis()
        # Dispatcher and Slack have to know each other's address.
        dispatcher_port, slack_port = find_free_port(), find_free_port()
        self.dispatcher_url = f"http://127.0.0.1:{dispatcher_port}"
        self._slack_url = f"http://127.0.0.1:{slack_port}"
        self.slack = self.start_slack()
        self.person = SlackPerson(self._slack_url)
        self.dispatcher = self.start_dispatcher()

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
            "STAND_IN_SLACK_API_URL": f"{self._slack_url}/api",
            **self.kubernetes.environment,
            **self._image,
            **environment,
        }
        self.dispatcher = start_dispatcher_process(self._started, self.dispatcher_app, **variables)
        listening_url(self.dispatcher)
        return self.dispatcher

    def start_agent(self, arguments: list[str], **variables: str) -> BackgroundProcess:
        """Start an agent where its image has its files, and do not wait."""
        agent = BackgroundProcess([*dispatcher_command(), *arguments], self._image | variables, self.agent_app)
        self._started.append(agent)
        return agent

    def _run_pod(self, arguments: list[str], variables: dict[str, str]) -> None:
        self.agents.append(self.start_agent(arguments, **variables))


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
    process = BackgroundProcess([*dispatcher_command(), "slack"], variables | environment, STAND_IN)
    started.append(process)
    return process


@contextmanager
def running_platform(directory: Path, app: str = "") -> Iterator[Platform]:
    """Start everything; in the end it is gone, and nothing has written a secret."""
    with started_processes() as started:
        platform = Platform(started, directory, app)
        try:
            yield platform
        finally:
            platform.kubernetes.close()
    for process in started:
        for secret in (BOT_TOKEN, *SECRET.values()):
            assert secret not in process.output


def _app_directory(directory: Path) -> Path:
    """Make what /app is in a container."""
    (directory / "config").mkdir(parents=True)
    (directory / "config" / "agentsmith.yml").write_text(CONFIGURATION)
    (directory / "config" / "coding-principles.md").write_text("Small and plain.\n")
    return directory
