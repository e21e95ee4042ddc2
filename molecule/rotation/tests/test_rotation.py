# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed key rolls the pods that read it and no others, in a deploy and in a rotation; a running Job goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import spellings

# Of the right shape, with characters that every encoding changes.
GITHUB, GITHUB_AGAIN = "ghp_rotated+/=canary1", "ghp_rotated+/=canary2"
ANTHROPIC = "sk-ant-rotated+/=canary3"
SPELLINGS = {form for value in (GITHUB, GITHUB_AGAIN, ANTHROPIC) for form in spellings(value)}
ANNOTATION = "agentsmith.platform/secret-digest"
EXTERNAL = "agentsmith-external"
NAMESPACE = "agentsmith"
Look = Callable[[], dict[str, Any]]
Act = Callable[..., str]


@pytest.fixture
def act(playbook, tmp_path) -> Iterator[Act]:
    """Run a playbook with changed variables: `act("deploy", {"secrets_github_token": …}, "--check")`, its output.

    What a run shows is searched for the values. In the end the release is deployed as it is in the inventory.
    """

    def run(name: str, variables: dict[str, Any] | None = None, *arguments: str, fails: bool = False) -> str:
        file = tmp_path / "variables.json"
        file.write_text(json.dumps(variables or {}))
        finished = playbook(f"playbooks/{name}.yml", "-v", "--diff", "-e", f"@{file}", *arguments)
        assert not [form for form in SPELLINGS if form in finished.output]
        assert (finished.returncode != 0) is fails, finished.output
        return finished.output

    yield run
    run("deploy")


@pytest.fixture
def look(get, pod_of) -> Look:
    """See what a roll would change: generations of the Deployments and the pods that serve."""

    def state() -> dict[str, Any]:
        return {
            **{f"{name} generation": get(f"deployment/{name}")["metadata"]["generation"] for name in DEPLOYMENTS},
            **{f"{name} pod": pod_of(name)["metadata"]["uid"] for name in DEPLOYMENTS},
        }

    return state


DEPLOYMENTS = ("agentsmith-dispatcher", "redis")


def assert_only_the_dispatcher_rolled_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert after["agentsmith-dispatcher generation"] == before["agentsmith-dispatcher generation"] + 1
    assert after["agentsmith-dispatcher pod"] != before["agentsmith-dispatcher pod"]
    assert after["redis generation"] == before["redis generation"]
    assert after["redis pod"] == before["redis pod"]


@pytest.fixture
def token_of_dispatcher(kubectl, pod_of) -> Callable[[], str]:
    """The GitHub token that the serving Dispatcher has."""
    return lambda: kubectl(
        f"-n {NAMESPACE} exec %s -- printenv GITHUB_TOKEN", pod_of("agentsmith-dispatcher")["metadata"]["name"]
    ).strip()


def test_a_changed_github_token_rolls_the_dispatcher_once(
    act: Act, look: Look, token_of_dispatcher: Callable[[], str], job: Callable[[], Any], get
) -> None:
    changed = {"secrets_github_token": GITHUB}
    before, running = look(), job()
    preview = act("deploy", changed, "--check")
    assert look() == before
    act("deploy", changed)
    after = look()
    assert_only_the_dispatcher_rolled_once(before, after)
    assert token_of_dispatcher() == GITHUB
    assert job() == running
    template = get("deployment/agentsmith-dispatcher")["spec"]["template"]
    assert f"{ANNOTATION}: {template['metadata']['annotations'][ANNOTATION]}" in preview
    again = act("deploy", changed)
    assert re.search(r"changed=0 .*failed=0", again)
    assert look() == after


def test_a_changed_key_of_future_jobs_rolls_nothing(act: Act, look: Look) -> None:
    before = look()
    output = act("deploy", {"secrets_anthropic_api_key": ANTHROPIC})
    assert "anthropic-api-key" in output
    assert look() == before


def test_a_rotation_rolls_the_readers_and_leaves_the_rest(
    act: Act, look: Look, token_of_dispatcher: Callable[[], str], job: Callable[[], Any]
) -> None:
    changed = {"secrets_github_token": GITHUB, "redis_maxmemory": "300mb"}
    keys = ["-e", "rotate_secrets_keys=github-token"]
    before, running = look(), job()
    preview = act("rotate_secrets", changed, *keys, "--check")
    assert "github-token: would be changed; Deployment agentsmith-dispatcher would roll." in preview
    assert "Slack would show nothing more" in preview
    assert look() == before
    output = act("rotate_secrets", changed, *keys)
    assert "github-token: changed; Deployment agentsmith-dispatcher rolled." in output
    assert "Running Jobs are left alone" in output
    after = look()
    assert_only_the_dispatcher_rolled_once(before, after)
    assert token_of_dispatcher() == GITHUB
    assert job() == running
    assert "github-token already has this value" in act("rotate_secrets", changed, *keys, fails=True)
    assert look() == after


def test_a_rotation_of_a_key_of_future_jobs_rolls_nothing(act: Act, look: Look) -> None:
    before = look()
    changed = {"secrets_anthropic_api_key": ANTHROPIC, "rotate_secrets_keys": ["anthropic-api-key"]}
    output = act("rotate_secrets", changed)
    assert "anthropic-api-key: changed; nothing rolls" in output
    assert "No pod was restarted." in output
    assert look() == before


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {
                "secrets_github_token": GITHUB,
                "secrets_anthropic_api_key": ANTHROPIC,
                "rotate_secrets_keys": "github-token",
            },
            "anthropic-api-key of Secret agentsmith/agentsmith-secrets would change as well",
        ),
        (
            {"secrets_github_token": "", "rotate_secrets_keys": "github-token"},
            "github-token would be removed",
        ),
    ],
)
def test_a_refused_rotation_changes_nothing(
    act: Act, look: Look, get, variables: dict[str, Any], expected: str
) -> None:
    before, secret = look(), get("secret/agentsmith-secrets")["metadata"]["resourceVersion"]
    assert expected in act("rotate_secrets", variables, fails=True)
    assert look() == before
    assert get("secret/agentsmith-secrets")["metadata"]["resourceVersion"] == secret


@pytest.fixture
def external_secret(kubectl, get, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """A Secret that another program makes: `external_secret("ghp_…")` gives it a GitHub token."""
    data = get("secret/agentsmith-secrets")["data"]

    def put(token: str) -> None:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": EXTERNAL}, "data": data}
        file = tmp_path / "external.json"
        file.write_text(json.dumps({**body, "stringData": {"github-token": token}}))
        kubectl(f"-n {NAMESPACE} apply --server-side --field-manager=external -f %s", str(file))

    yield put
    kubectl(f"-n {NAMESPACE} delete secret {EXTERNAL}")


def test_a_secret_of_others_rolls_its_readers(
    external_secret: Callable[[str], None], act: Act, look: Look, token_of_dispatcher: Callable[[], str]
) -> None:
    external = {"secrets_existing_name": EXTERNAL}
    external_secret(GITHUB)
    act("deploy", external)
    before = look()
    external_secret(GITHUB_AGAIN)
    act("deploy", external)
    between = look()
    assert_only_the_dispatcher_rolled_once(before, between)
    assert token_of_dispatcher() == GITHUB_AGAIN
    assert re.search(r"changed=0 .*failed=0", act("deploy", external))
    keys = {**external, "rotate_secrets_keys": "github-token"}
    assert "github-token has not changed" in act("rotate_secrets", keys, fails=True)
    external_secret(GITHUB)
    assert "Deployment agentsmith-dispatcher rolled." in act("rotate_secrets", keys)
    assert_only_the_dispatcher_rolled_once(between, look())
