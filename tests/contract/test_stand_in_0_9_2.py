# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in insists on, and does otherwise, in place of version 0.9.2 of the app."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from awaiting import await_condition
from background_process import BackgroundProcess
from build_under_test import StandIn
from dispatcher_under_test import SIGNING_SECRET
from fake_kubernetes import JOBS
from redis import Redis
from slack_person import CHANNEL
from slack_request import SlackSender, request
from stand_in_platform import Platform, running_platform

APP = "0.9.2"
CONVERSATION = f"conversation:slack:{CHANNEL}"
QUICK = {"ANTHROPIC_API_KEY": "", "STAND_IN_ORPHAN_INTERVAL_SECONDS": "0.5"}
Start = Callable[..., BackgroundProcess]

pytestmark = pytest.mark.stand_in_only("it is about the stand-in's second version")


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Platform]:
    """The stand-in of 0.9.2, as it wants to be deployed, and with a short wait between two looks at its Jobs."""
    with running_platform(tmp_path, StandIn(APP), StandIn(APP)) as running:
        running.dispatcher.kill()
        running.start_dispatcher(**QUICK)
        yield running


def redis_of(platform: Platform) -> Redis:
    return Redis(port=platform.redis_port, decode_responses=True)


def job_name_of(platform: Platform) -> str:
    return platform.kubernetes.jobs[-1]["metadata"]["name"]


def test_a_ticket_is_fixed(later: Platform) -> None:
    later.person.say("fix #54 in agent-smith-test")
    later.person.await_message(r"\*Done!\*")
    starting, progress, done = later.person.texts()[1:]
    assert starting == "Starting Agent Smith for ticket *#54* in *agent-smith-test*..."
    assert progress == "*[9/9]* Creating pull request\n`[██████████]` 9/9"
    assert done.startswith(":rocket: *Done!* Pipeline completed successfully (stand-in; ")
    assert done.endswith("\n:link: <https://github.com/example/agent-smith-test/pull/1|View Pull Request>")
    with redis_of(later) as redis:
        await_condition(lambda: redis.keys("*") == [])


def test_its_job(later: Platform) -> None:
    later.person.say("fix #54 in short")
    later.person.await_message("Done!")
    (container,) = later.kubernetes.jobs[0]["spec"]["template"]["spec"]["containers"]
    assert container["args"][:3] == ["run", "--headless", "--job-id"]
    assert container["args"][-1] == "fix #54 in short"
    values = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    assert list(values) == ["JOB_ID", "PROJECT", "CHANNEL_ID", "USER_ID", "AGENTSMITH_PLATFORM"]
    assert values["AGENTSMITH_PLATFORM"] == "slack"
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}


def test_without_a_variable_every_message_is_dropped(later: Platform) -> None:
    later.dispatcher.kill()
    later.start_dispatcher(STAND_IN_ORPHAN_INTERVAL_SECONDS="0.5")
    later.person.say("help")
    later.dispatcher.expect("Fire-and-forget dispatch failed")
    later.dispatcher.expect("ANTHROPIC_API_KEY")
    # Everything else says that all is well.
    assert request(later.dispatcher_url, "GET", "/health").status == 200
    challenge = {"type": "url_verification", "challenge": "c"}
    assert json.loads(SlackSender(later.dispatcher_url, SIGNING_SECRET).event(challenge).body) == {"challenge": "c"}
    assert later.person.texts() == ["help"]


def test_a_conversation_lives_for_45_minutes_after_the_last_message(later: Platform) -> None:
    later.person.say("fix #104 in agent-smith-test")
    later.person.await_message("Executing plan")
    with redis_of(later) as redis:
        state = json.loads(redis.get(CONVERSATION))
        assert datetime.fromisoformat(state["lastActivityAt"]) > datetime.fromisoformat(state["startedAt"])
        for key in (CONVERSATION, f"job-index:{state['jobId']}"):
            assert 45 * 60 - 30 < redis.ttl(key) <= 45 * 60


def test_the_channel_of_a_job_that_ended_unheard_becomes_free(later: Platform) -> None:
    later.person.say("fix #104 in agent-smith-test")
    later.person.await_message(r"\[[1-7]/9\]")
    later.agents[0].signal(signal.SIGKILL)
    warning = later.person.await_message("appears to have crashed")
    job_id = job_name_of(later).removeprefix("agentsmith-")
    said = re.sub(r"[0-9.]+ minutes", "N minutes", warning["text"])
    assert said == (
        f":warning: Job `{job_id}` appears to have crashed (container no longer running after N minutes). "
        "The channel has been unblocked. Please retry your command."
    )
    with redis_of(later) as redis:
        await_condition(lambda: redis.keys("*") == [])
    later.person.say("fix #54 in short")
    later.person.await_message("Done!")


def test_a_job_of_an_earlier_dispatcher_is_looked_at_too(later: Platform) -> None:
    later.person.say("fix #54 in agent-smith-test")
    later.person.await_message(r"\[[2-7]/9\]")
    later.dispatcher.signal(signal.SIGTERM)
    assert later.dispatcher.wait() == 0
    later.start_dispatcher(**QUICK)
    assert later.agents[0].wait() == 0
    # Although it has succeeded.
    later.person.await_message("appears to have crashed")
    assert not any("Done!" in text for text in later.person.texts())


def test_a_running_job_is_left_alone(later: Platform) -> None:
    later.person.say("fix #54 in agent-smith-test")
    later.person.await_message("Done!", timeout=60)
    assert set(later.kubernetes.requests) == {("POST", JOBS), ("GET", f"{JOBS}/{job_name_of(later)}")}
    assert not any("crashed" in text for text in later.person.texts())


def test_without_the_right_to_read_jobs_nothing_becomes_free(later: Platform) -> None:
    later.kubernetes.reading_is_forbidden = True
    later.person.say("fix #103 in short")
    later.person.await_message("failed|Starting")
    later.person.say("fix #104 in agent-smith-test", "C0ANOTHER")
    later.person.await_message(r"\[[1-7]/9\]", "C0ANOTHER")
    later.agents[1].signal(signal.SIGKILL)
    for _ in range(3):
        later.dispatcher.expect("Could not check container liveness for job .*, skipping")
        later.dispatcher.expect("jobs.batch is forbidden")
    later.person.say("fix #54 in short", "C0ANOTHER")
    later.person.await_message("already a job running", "C0ANOTHER")


def test_an_agent_without_a_configuration_is_heard_of(later: Platform) -> None:
    (later.agent_app / "config" / "agentsmith.yml").unlink()
    later.person.say("fix #54 in short")
    error = later.person.await_message("failed")
    # The sentence that stands for every message with "not found" in it.
    reason = "A required resource was not found. Check ticket number and project name."
    assert error["blocks"][0]["text"]["text"].endswith(f"*Reason:* {reason}")
    assert later.agents[0].wait() == 1


def test_outside_of_a_cluster_it_does_not_start(free_port: int, start_redis: Start, start_dispatcher: Start) -> None:
    start_redis(free_port)
    process = start_dispatcher(REDIS_URL=f"127.0.0.1:{free_port}", STAND_IN_APP=APP, ANTHROPIC_API_KEY="")
    assert process.wait() == 134
    assert "KUBERNETES_SERVICE_HOST" in process.output
    assert "Now listening" not in process.output


@pytest.mark.parametrize("seconds", ["", "0", "-1", "soon"])
def test_an_interval_that_is_none_is_refused(later: Platform, seconds: str) -> None:
    later.dispatcher.kill()
    with pytest.raises(AssertionError):
        later.start_dispatcher(STAND_IN_ORPHAN_INTERVAL_SECONDS=seconds)
    assert later.dispatcher.wait() == 134
    assert "STAND_IN_ORPHAN_INTERVAL_SECONDS: '" in later.dispatcher.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--headless", "fix #54 in short"], "argument run"),
        (["run", "--headless", "fix #54 in short"], "Configuration file not found"),
    ],
)
def test_its_agent_wants_a_command_first(later: Platform, arguments: list[str], message: str) -> None:
    (later.agent_app / "config" / "agentsmith.yml").unlink()
    agent = later.start_agent(arguments)
    assert agent.wait() == 1
    assert message in agent.output
