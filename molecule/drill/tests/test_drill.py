# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with an installation, brought about on purpose: verify turns the right check red and names the cause.

In the order in which least has to be put right in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from awaiting import await_condition
from conftest import Run

NO_IMAGE = "localhost/no-such-agent:1"
# All but mounted_config, for which verify would wait until the kubelet has brought a changed ConfigMap into the pods
QUICK = ["namespace", "secrets", "config_map", "redis", "rbac", "dispatcher", "jobs"]
Drill = Callable[..., Run]


@pytest.fixture
def deploy(playbook, tmp_path) -> Callable[..., None]:
    """Deploy the inventory, with changed variables where some are given."""

    def run(**variables: Any) -> None:
        (tmp_path / "deploy.json").write_text(json.dumps(variables))
        finished = playbook("playbooks/deploy.yml", "-e", f"@{tmp_path}/deploy.json")
        assert finished.returncode == 0, finished.output

    return run


@pytest.fixture
def verify(playbook, tmp_path) -> Drill:
    """Run verify; with a text, hold a conversation with it, and leave the Job's end to Kubernetes."""

    def run(text: str = "", **variables: Any) -> Run:
        conversation = {"verify_end_to_end_text": text, "verify_end_to_end_cleanup_timeout": 0} if text else {}
        given = {
            "verify_only": QUICK + (["end_to_end"] if text else []),
            "verify_end_to_end": bool(text),
            **conversation,
            **variables,
        }
        (tmp_path / "verify.json").write_text(json.dumps(given))
        finished = playbook("playbooks/verify.yml", "-e", f"@{tmp_path}/verify.json")
        assert (finished.returncode != 0) is bool(finished.checks("failed")), finished.output
        return finished

    return run


def test_wrong_signing_secret(verify: Drill) -> None:
    """Slack and the Vault file have a new one, the running Dispatcher does not."""
    run = verify(secrets_slack_signing_secret="5" * 32)
    assert run.checks("failed") == {"challenge"}, run.output
    assert "The signing secret of the Dispatcher differs" in " ".join(run.output.split())


def test_job_out_of_memory(verify: Drill) -> None:
    run = verify("fix #105 in agent-smith-test")
    assert run.checks("failed") == {"e2e_completion"}, run.output
    assert "OOMKilled" in run.output


def test_missing_role(verify: Drill, deploy: Callable[..., None], kubectl: Callable[..., str]) -> None:
    kubectl("-n agentsmith delete role agentsmith-job-manager")
    try:
        run = verify("fix #54 in agent-smith-test")
        # What is wrong, and what it leads to
        assert run.checks("failed") == {"access_jobs", "e2e_job"}, run.output
        assert "may not create jobs in agentsmith" in run.output
        assert "Forbidden" in run.output
    finally:
        deploy()


def test_redis_restarted_under_a_running_job(
    person: Any, add_channel: Any, job_of: Any, kubectl: Any, pod_of: Any, verify: Drill
) -> None:
    """Lost is what Redis held: who has the channel, and the streams. Nothing starts the Job that ran a second time."""
    channel = add_channel()
    person.say("fix #101 in agent-smith-test", channel)
    person.await_message("Question:", channel, timeout=60)
    asking = job_of(channel)["metadata"]["name"]
    try:
        person.say("fix #54 in agent-smith-test", channel)
        person.await_message("already a job running", channel)
        before = pod_of("redis")["metadata"]["name"]
        kubectl("-n agentsmith delete pod %s --wait=false", before)
        await_condition(lambda: serves_instead(pod_of, before), timeout=60, pause=0.5)
        assert verify().checks("failed") == set()
        person.say("fix #54 in agent-smith-test", channel)
        person.await_message("Done!", channel, timeout=60)
        # It waits for its answer, or it has failed without a connection and may be removed by now.
        # Its events stay: one pod in all, no retry.
        of_job = "involvedObject.kind=Job,reason=SuccessfulCreate,involvedObject.name="
        events = json.loads(kubectl("-n agentsmith get events -o json --field-selector %s", of_job + asking))["items"]
        assert [event.get("count") for event in events] == [1], events
    finally:
        kubectl("-n agentsmith delete job %s --ignore-not-found", asking)


def serves_instead(pod_of: Any, before: str) -> bool:
    """Whether another pod of Redis is ready; while there is none or two, not yet."""
    try:
        pod = pod_of("redis")
    except AssertionError:
        return False
    states = pod["status"].get("containerStatuses") or []
    return pod["metadata"]["name"] != before and bool(states) and all(state["ready"] for state in states)


def test_redis_url_with_a_scheme(verify: Drill, deploy: Callable[..., None], kubectl: Any, get: Any) -> None:
    """Put into the live Secret behind preflight's back: the app takes it for a host name, and crashes."""
    kubectl(
        "-n agentsmith patch secret agentsmith-secrets --patch %s",
        '{"stringData": {"redis-url": "redis://redis:6379"}}',
    )
    try:
        kubectl("-n agentsmith rollout restart deployment/agentsmith-dispatcher")
        await_condition(lambda: any(map(has_crashed, get("pods"))), timeout=60, pause=0.5)
        run = verify()
        # What is wrong, and what it leads to. The old pod serves on.
        assert run.checks("failed") == {"secret_keys", "dispatcher_rollout"}, run.output
        assert "redis-url" in run.output
        assert "RedisConnectionException" in run.output
        assert run.checks("ok") >= {"health", "challenge"}
    finally:
        kubectl("-n agentsmith rollout undo deployment/agentsmith-dispatcher")
        deploy()


def has_crashed(pod: dict[str, Any]) -> bool:
    """Whether a container of a pod was started more than once."""
    return any(state["restartCount"] > 0 for state in pod["status"].get("containerStatuses") or [])


@pytest.mark.long
def test_agent_image_that_is_not_there(verify: Drill, deploy: Callable[..., None]) -> None:
    deploy(agentsmith_agent_image=NO_IMAGE)
    try:
        run = verify("fix #54 in agent-smith-test", agentsmith_agent_image=NO_IMAGE)
        assert run.checks("failed") == {"e2e_completion"}, run.output
        assert "ErrImageNeverPull" in run.output
        assert NO_IMAGE in run.output
    finally:
        deploy()


def test_configuration_that_differs_in_the_agent_image(
    verify: Drill, deploy: Callable[..., None], inventory: dict[str, Any], get: Any
) -> None:
    """The ConfigMap is new, the agent's image is not: the Dispatcher lists a project that no Job finds."""
    dispatcher = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]["env"]
    (image,) = [entry["value"] for entry in dispatcher if entry["name"] == "AGENTSMITH_IMAGE"]
    config = inventory["config_agentsmith"]
    renamed = {**config, "projects": {**config["projects"], "another-project": config["projects"]["my-project"]}}
    changed = {"config_agentsmith": renamed, "agentsmith_agent_image": image}
    deploy(**changed)
    try:
        run = verify("fix #54 in agent-smith-test", **changed)
        assert run.checks("failed") == {"e2e_configuration"}, run.output
        assert "Build the agent's image again" in " ".join(run.output.split())
    finally:
        deploy()
    # After all drills: nothing is left of them
    assert verify().checks("failed") == set()
