# SPDX-License-Identifier: GPL-3.0-or-later
"""What the release of the app decides (agentsmith_app), and what the Dispatcher may log and ask of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from required_variables import PIPELINES, PROJECT

DISPATCHER = "Deployment/agentsmith-dispatcher"
ROLE = "Role/agentsmith-job-manager"
MIRROR = "registry.example.com/mirror"
LEVEL = "Logging__LogLevel__"
LOGGERS = {
    "Microsoft.AspNetCore",
    "System.Net.Http.HttpClient",
    "AgentSmith.Dispatcher.SlackEvents",
    "AgentSmith.Dispatcher.Services.ChatIntentParser",
}
# They write the text of a message only where a model is asked about it
LOGGERS_OF_MODELS = {
    f"AgentSmith.Dispatcher.Services.{name}" for name in ("IntentEngine", "HaikuIntentParser", "LlmIntentParser")
}
NEWER = {"agentsmith_app": "0.9.2", "agentsmith_job_policy": True}


@pytest.fixture(scope="module")
def run(render: Callable[..., Any]) -> Any:
    return render(
        {
            "older": {"agentsmith_job_policy": True},
            "older-said": {"agentsmith_app": "be4bffa1"},
            "older-under-the-name": {"dispatcher_image": f"{MIRROR}/agent-smith-dispatcher:be4bffa1-1"},
            "newer": NEWER,
            "newer-role": {"agentsmith_app": "0.9.2", "job_policy_enabled": True},
            "newer-mirrored": {**NEWER, "agentsmith_registry": MIRROR, "agentsmith_version": "0.9.2-1"},
            "newer-own": {
                **NEWER,
                "dispatcher_image": "own/dispatcher:1",
                "agentsmith_agent_image": "own/agent:1",
                "job_policy_command": ["/usr/bin/env", 'a"b\\c', "$(X)"],
                "rbac_profile": "phase19",
            },
            "newer-by-one-variable": {"dispatcher_app": "0.9.2", "agentsmith_job_policy": True},
            "newer-model": {**NEWER, "dispatcher_anthropic_api_key": True},
            "model": {"dispatcher_anthropic_api_key": "yes"},
            "all-logs": {"dispatcher_log_messages": True, "dispatcher_aspnetcore_environment": "Development"},
            "newer-all-logs": {**NEWER, "dispatcher_log_messages": True},
            "own-levels": {
                "dispatcher_extra_env": [
                    {"name": f"{LEVEL}Default", "value": "Error"},
                    {"name": "ANTHROPIC_API_KEY", "value": "own"},
                ],
                "dispatcher_no_proxy": [".example.internal", "10.0.0.7", "[fd00::7]", "tracker", "a-b.example.com"],
            },
            "all-logs-own-levels": {
                "dispatcher_log_messages": True,
                "dispatcher_extra_env": [
                    {"name": f"{LEVEL}Microsoft.AspNetCore", "value": "Warning"},
                    {"name": "NO_PROXY", "value": "$(KUBERNETES_SERVICE_HOST), [fd00::7],"},
                ],
            },
        }
    )


def variables(release: dict[str, Any]) -> dict[str, Any]:
    """The Dispatcher's environment, by name: a text, or where it comes from."""
    (container,) = release[DISPATCHER]["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def images(release: dict[str, Any]) -> tuple[str, str]:
    """The images of Dispatcher and agent."""
    (container,) = release[DISPATCHER]["spec"]["template"]["spec"]["containers"]
    return container["image"], variables(release)["AGENTSMITH_IMAGE"]


def policies(release: dict[str, Any]) -> tuple[str, str]:
    """What the policies for Jobs do, and what they allow."""
    found = {body["kind"]: body["spec"] for body in release.values() if body["kind"].endswith("AdmissionPolicy")}
    patches = found["MutatingAdmissionPolicy"]["mutations"]
    (json_patch,) = [patch["jsonPatch"]["expression"] for patch in patches if patch["patchType"] == "JSONPatch"]
    rules = found["ValidatingAdmissionPolicy"]["validations"]
    (rule,) = [rule for rule in rules if "job_policy_command" in rule["message"]]
    return json_patch, f"{rule['expression']}\n{rule['message']}"


def test_every_target_is_rendered(run: Any) -> None:
    assert not run.failures


@pytest.mark.parametrize(
    ("host", "dispatcher", "agent"),
    [
        ("older", "agentsmith-dispatcher:latest", "agentsmith:latest"),
        ("newer", "holgerleichsenring/agent-smith-dispatcher:0.9.2", "holgerleichsenring/agent-smith:0.9.2"),
        (
            "newer-mirrored",
            f"{MIRROR}/holgerleichsenring/agent-smith-dispatcher:0.9.2-1",
            f"{MIRROR}/holgerleichsenring/agent-smith:0.9.2-1",
        ),
        ("newer-own", "own/dispatcher:1", "own/agent:1"),
    ],
)
def test_images(run: Any, host: str, dispatcher: str, agent: str) -> None:
    release = run.objects[host]
    assert images(release) == (dispatcher, agent)
    allowed = [str(body["spec"]) for body in release.values() if body["kind"] == "ValidatingAdmissionPolicy"]
    assert all(f"runs the image {agent} and no other" in spec for spec in allowed)
    assert allowed


@pytest.mark.parametrize(
    ("host", "verbs"),
    [
        ("older", ["create"]),
        ("older-said", ["create"]),
        ("newer", ["create", "get"]),
        ("newer-own", ["create", "delete", "get", "list", "watch"]),
    ],
)
def test_the_role_has_what_the_release_asks_for(run: Any, host: str, verbs: list[str]) -> None:
    jobs = run.objects[host][ROLE]["rules"][0]
    assert jobs == {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs}


def test_the_releases_are_the_same_else(run: Any) -> None:
    older, newer = dict(run.objects["older"]), dict(run.objects["newer"])
    policies_of = {name for name in older if "AdmissionPolicy/" in name}
    different = {name for name in older if older[name] != newer.get(name)}
    assert older.keys() == newer.keys()
    assert different == {DISPATCHER, ROLE, *policies_of}


def test_all_parts_are_of_the_release_that_the_dispatcher_is_of(run: Any) -> None:
    assert run.objects["newer-by-one-variable"] == run.objects["newer"]


def test_jobs_get_the_command_that_needs_no_root(run: Any) -> None:
    patch, rule = policies(run.objects["newer"])
    path = "/spec/template/spec/containers/0/command"
    assert f'path: "{path}", value: []' in patch
    assert patch.index('value: "dotnet"') < patch.index('value: "AgentSmith.Host.dll"')
    assert "has(variables.pod.containers[0].command) ? [] :" in patch
    assert '== ["dotnet", "AgentSmith.Host.dll"]' in rule
    assert "runs the command dotnet AgentSmith.Host.dll and nothing besides" in rule


def test_a_command_of_ones_own_is_quoted(run: Any) -> None:
    patch, rule = policies(run.objects["newer-own"])
    assert r'value: "a\"b\\c"' in patch
    assert r'["/usr/bin/env", "a\"b\\c", "$(X)"]' in rule


def test_without_a_command_the_entry_point_is_the_images(run: Any) -> None:
    patch, rule = policies(run.objects["older"])
    assert "command" not in patch
    assert "?command.orValue([]) == []" in rule
    assert "runs its image's entry point and nothing besides" in rule


@pytest.mark.parametrize(
    ("host", "value"),
    [
        ("newer", ""),
        ("newer-model", {"secretKeyRef": {"name": "agentsmith-secrets", "key": "anthropic-api-key"}}),
        ("model", {"secretKeyRef": {"name": "agentsmith-secrets", "key": "anthropic-api-key"}}),
        ("own-levels", "own"),
    ],
)
def test_the_key_of_a_model(run: Any, host: str, value: object) -> None:
    """0.9.2 answers no message without the variable; it is not optional where somebody asks for it."""
    assert variables(run.objects[host])["ANTHROPIC_API_KEY"] == value


def test_no_model_is_asked_by_itself(run: Any) -> None:
    assert "ANTHROPIC_API_KEY" not in variables(run.objects["older"])


@pytest.mark.parametrize(
    ("host", "loggers"),
    [
        ("older", LOGGERS),
        ("newer", LOGGERS | LOGGERS_OF_MODELS),
        ("model", LOGGERS | LOGGERS_OF_MODELS),
        ("all-logs", set()),
        ("newer-all-logs", set()),
        ("own-levels", LOGGERS | {"Default"}),
        ("all-logs-own-levels", {"Microsoft.AspNetCore"}),
    ],
)
def test_no_logger_writes_messages_unless_it_is_asked_to(run: Any, host: str, loggers: set[str]) -> None:
    levels = {
        name.removeprefix(LEVEL): value
        for name, value in variables(run.objects[host]).items()
        if name.startswith(LEVEL)
    }
    assert levels.keys() == loggers
    assert set(levels.values()) <= {"Warning", "Error"}


def test_the_environment_of_asp_net_is_a_variable(run: Any) -> None:
    assert variables(run.objects["all-logs"])["ASPNETCORE_ENVIRONMENT"] == "Development"
    assert variables(run.objects["newer"])["ASPNETCORE_ENVIRONMENT"] == "Production"


def test_no_proxy_takes_names_and_addresses(run: Any) -> None:
    listed = variables(run.objects["own-levels"])["NO_PROXY"].split(",")
    assert listed[-5:] == [".example.internal", "10.0.0.7", "[fd00::7]", "tracker", "a-b.example.com"]
    # .NET compares the host of an address of IPv6 with its brackets
    assert listed[:2] == ["$(KUBERNETES_SERVICE_HOST)", "[$(KUBERNETES_SERVICE_HOST)]"]
    assert not [entry for entry in listed if "/" in entry or "*" in entry]


def test_a_file_that_both_releases_read_alike_draws_no_warning(run: Any) -> None:
    assert "misread" not in run.output
    assert "config_agentsmith" not in run.output


def test_the_configuration_is_checked_as_the_release_reads_it(render: Callable[..., Any]) -> None:
    """A pipeline of one's own is right for one release, and refused for the other."""
    own = {
        "config_agentsmith": {
            "projects": {"web": {**PROJECT, "pipeline": "mend"}},
            "pipelines": {"mend": PIPELINES["fix-bug"]},
        }
    }
    run = render({"older": own, "newer": {**NEWER, **own}})
    assert run.failures.keys() == {"newer"}
    assert '"mend" is no pipeline of release 0.9.2' in run.failures["newer"]
