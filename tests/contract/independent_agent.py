# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent of a few lines, for the tests' own services: it calls them by their public names, in the app's order.

It shares no code with the services or the stand-in. Its clients are git, and requests in the form of Octokit and of
OpenAI's library. With it the whole way of a fix is tried where no real agent is at hand.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import redis
import yaml

LABELS = [
    "Fetching ticket",
    "Checking out source",
    "Loading coding principles",
    "Analyzing codebase",
    "Generating plan",
    "Awaiting approval",
    "Executing plan",
    "Running tests",
    "Creating pull request",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    for option in ("--job-id", "--redis-url", "--platform", "--channel-id"):
        parser.add_argument(option)
    parser.add_argument("--headless", action="store_true")
    parser.add_argument("input")
    arguments = parser.parse_args()
    assert "PLATFORM" not in os.environ, "the app's image takes it away"
    ticket, project = re.fullmatch(r"fix #(\d+) in (\S+)", arguments.input).groups()
    configuration = yaml.safe_load(Path("config/agentsmith.yml").read_text(encoding="utf-8"))["projects"][project]
    host, port = arguments.redis_url.split(":")
    bus = redis.Redis(host, int(port))

    def publish(kind: str, text: str, step: int = 0) -> None:
        fields = {"type": kind, "jobId": arguments.job_id, "text": text, "questionId": "", "prUrl": "", "content": ""}
        numbers = {"step": step, "total": len(LABELS)} if step else {}
        summary = {"summary": text if kind == "Done" else ""}
        bus.xadd(f"job:{arguments.job_id}:out", fields | numbers | summary)

    def progress(step: int) -> None:
        publish("Progress", LABELS[step - 1], step)

    try:
        fix(configuration, ticket, progress)
    except (OSError, subprocess.CalledProcessError) as error:
        publish("Error", str(error))
        sys.exit(1)
    publish("Done", "Pipeline completed successfully")


def fix(configuration: dict[str, object], ticket: str, progress: Callable[[int], None]) -> None:
    progress(1)
    issue = github("GET", f"{repository(configuration)}/issues/{ticket}")
    if configuration["pipeline"] == "short":
        return
    progress(2)
    checkout = Path(tempfile.gettempdir(), "agentsmith")
    git("clone", "--quiet", f"{configuration['source']['url']}.git", str(checkout))
    git("-C", str(checkout), "switch", "--quiet", "--create", f"fix/{ticket}")
    for step in (3, 4, 5):
        progress(step)
    description = f"## Ticket\n**ID:** {ticket}\n**Title:** {issue['title']}\n**Description:** {issue['body']}\n"
    messages = [{"role": "system", "content": "Plan."}, {"role": "user", "content": description}]
    plan = json.loads(complete(configuration, messages, {"max_completion_tokens": 8192})["content"])
    progress(6)
    progress(7)
    carry_out(configuration, plan, ticket, checkout)
    progress(8)
    progress(9)
    git("-C", str(checkout), "add", "--all")
    person = ("-c", "user.name=Agent", "-c", "user.email=agent@example.org")
    git("-C", str(checkout), *person, "commit", "--quiet", "-m", f"fix: {issue['title']} (#{ticket})")
    git("-C", str(checkout), "push", "--quiet", "origin", f"+refs/heads/fix/{ticket}:refs/heads/fix/{ticket}")
    request = {"title": issue["title"], "head": f"fix/{ticket}", "base": "main", "body": issue["body"]}
    pull_request = github("POST", f"{repository(configuration)}/pulls", request)
    resolution = {"body": f"PR: {pull_request['html_url']}"}
    github("POST", f"{repository(configuration)}/issues/{ticket}/comments", resolution)
    github("PATCH", f"{repository(configuration)}/issues/{ticket}", {"state": "closed"})


def carry_out(configuration: dict[str, object], plan: dict[str, object], ticket: str, checkout: Path) -> None:
    steps = [f"  {s['order']}. [{s['change_type']}] {s['description']} → {s['target_file']}" for s in plan["steps"]]
    task = f"Execute in {checkout}\nBranch: fix/{ticket}\n\n**Summary:** {plan['summary']}\n" + "\n".join(steps)
    messages: list[dict[str, object]] = [{"role": "system", "content": "Work."}, {"role": "user", "content": task}]
    tools = [{"type": "function", "function": {"name": "write_file", "parameters": {"type": "object"}}}]
    while calls := (message := complete(configuration, messages, {"tools": tools})).get("tool_calls"):
        messages.append(message)
        for call in calls:
            wanted = json.loads(call["function"]["arguments"])
            (checkout / wanted["path"]).parent.mkdir(parents=True, exist_ok=True)
            (checkout / wanted["path"]).write_text(wanted["content"], encoding="utf-8")
            result = {"role": "tool", "tool_call_id": call["id"], "content": f"File written: {wanted['path']}"}
            messages.append(result)


def complete(configuration: dict[str, object], messages: list[dict[str, object]], options: object) -> dict[str, object]:
    body = {"model": configuration["agent"]["model"], "messages": messages, **options}
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    (choice,) = call("POST", "https://api.openai.com/v1/chat/completions", body, headers)["choices"]
    assert choice["finish_reason"] == ("tool_calls" if choice["message"].get("tool_calls") else "stop")
    return choice["message"]


def repository(configuration: dict[str, object]) -> str:
    return "https://api.github.com/repos" + configuration["source"]["url"].removeprefix("https://github.com")


def github(method: str, url: str, body: object = None) -> dict[str, object]:
    accept = {"Accept": "application/vnd.github.v3+json", "User-Agent": "AgentSmith"}
    return call(method, url, body, accept | {"Authorization": f"Token {os.environ['GITHUB_TOKEN']}"})


def call(method: str, url: str, body: object, headers: dict[str, str]) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers | {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def git(*arguments: str) -> None:
    # The token is the name, as in the app. git shows nobody what comes in its environment.
    credentials = base64.b64encode(f"{os.environ['GITHUB_TOKEN']}:".encode()).decode()
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://github.com/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credentials}",
        "GIT_SSL_CAINFO": os.environ["SSL_CERT_FILE"],
    }
    subprocess.run(["git", *arguments], check=True, env=os.environ | settings)


main()
