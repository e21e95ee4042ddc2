# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations from Slack to the agent and back, without a cluster: what people see, and what they do not."""

from __future__ import annotations

import hashlib
import json
import re
import signal

import pytest
from awaiting import await_condition
from dispatcher_under_test import REDIS_PASSWORD, find_free_port
from fake_kubernetes import NAMESPACE
from redis import Redis
from slack_person import CHANNEL
from stand_in_platform import CONFIGURATION, Platform

CONVERSATION = f"conversation:slack:{CHANNEL}"
TWO_HOURS = 2 * 60 * 60
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


HELLO = ":wave: Hey! I'm Agent Smith — an autonomous coding agent.\nType `help` to see what I can do."
HELP = (
    ":robot_face: *Agent Smith — here's what I can do:*\n\n"
    "*Fix a ticket*\n  `fix #58` or `fix #58 in my-project`\n\n"
    "*List tickets*\n  `list tickets` or `list tickets in my-project`\n\n"
    '*Create a ticket*\n  `create ticket "Add logging" in my-project`\n\n'
    "*Help*\n  `help` or `?`\n\n"
    "_I also understand free-form text — just describe what you need._"
)


def not_understood(text: str) -> str:
    return f':shrug: I didn\'t understand: "{text}"\n\nType `help` to see what I can do.'


def reason_in(message: dict[str, object]) -> str:
    return message["blocks"][0]["text"]["text"].partition("*Reason:* ")[2]


def redis_of(platform: Platform) -> Redis:
    return Redis(port=platform.redis_port, decode_responses=True)


def job_id_of(platform: Platform) -> str:
    return platform.kubernetes.jobs[-1]["metadata"]["labels"]["job-id"]


@pytest.mark.stand_in_agent("its last words name the configuration; test_a_whole_fix.py has a real agent")
def test_a_ticket_is_fixed(platform: Platform) -> None:
    said = platform.person.say("<@U0AGENTSMITH> fix #54 in agent-smith-test")
    done = platform.person.await_message(r"\*Done!\*")
    assert platform.agents[0].wait() == 0
    messages = platform.person.messages()
    assert messages[0] == said | {"delivery": "delivered"}
    starting, progress, last = messages[1:]
    assert starting["text"] == ":rocket: Starting Agent Smith for ticket *#54* in *agent-smith-test*..."
    # One message for all steps, as the last of them has left it.
    assert progress["edited"]
    assert progress["text"] == ":rocket: *[9/9]* Creating pull request\n`[██████████░]` 9/9"
    digest = hashlib.sha256(CONFIGURATION.encode()).hexdigest()
    assert last == done
    summary = f"Pipeline completed successfully (stand-in; agentsmith.yml sha256:{digest})"
    assert last["text"] == f":rocket: *Done!* {summary}"
    with redis_of(platform) as redis:
        await_condition(lambda: redis.keys("*") == [])


def test_the_job_has_the_fields_of_the_app_and_no_other(platform: Platform) -> None:
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
    (job,) = platform.kubernetes.jobs
    job_id = job_id_of(platform)
    assert re.fullmatch("[0-9a-f]{12}", job_id)
    secret = {
        "ANTHROPIC_API_KEY": "anthropic-api-key",
        "AZURE_DEVOPS_TOKEN": "azure-devops-token",
        "GITHUB_TOKEN": "github-token",
        "OPENAI_API_KEY": "openai-api-key",
        "GEMINI_API_KEY": "gemini-api-key",
        "REDIS_URL": "redis-url",
    }
    literal = {
        "JOB_ID": job_id,
        "TICKET_ID": "54",
        "PROJECT": "short",
        "CHANNEL_ID": CHANNEL,
        "USER_ID": "U0PERSON",
        "PLATFORM": "slack",
    }
    container = {
        "name": "agentsmith",
        "image": "localhost/agent:under-test",
        "imagePullPolicy": "Never",
        "args": [
            "--headless",
            "--job-id",
            job_id,
            "--redis-url",
            platform.redis_url,
            "--platform",
            "slack",
            "--channel-id",
            CHANNEL,
            "fix #54 in short",
        ],
        "env": [
            {
                "name": name,
                "valueFrom": {"secretKeyRef": {"name": "agentsmith-secrets", "key": key, "optional": True}},
            }
            for name, key in secret.items()
        ]
        + [{"name": name, "value": value} for name, value in literal.items()],
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
    }
    # Neither apiVersion nor kind: the API server has them from the path.
    assert job == {
        "metadata": {
            "name": f"agentsmith-{job_id}",
            "namespace": NAMESPACE,
            "labels": {"app": "agentsmith", "job-id": job_id, "platform": "slack", "project": "short"},
        },
        "spec": {
            "ttlSecondsAfterFinished": 300,
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": {"app": "agentsmith", "job-id": job_id}},
                "spec": {"restartPolicy": "Never", "containers": [container]},
            },
        },
    }


@pytest.mark.stand_in_agent("the details are its own")
def test_what_is_in_redis_while_a_job_runs(platform: Platform) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message("Executing plan")
    job_id = job_id_of(platform)
    with redis_of(platform) as redis:
        assert sorted(redis.keys("*")) == [CONVERSATION, f"job-index:{job_id}", f"job:{job_id}:out"]
        for key in redis.keys("*"):
            assert TWO_HOURS - 30 < redis.ttl(key) <= TWO_HOURS
        assert redis.get(f"job-index:{job_id}") == CONVERSATION
        state = json.loads(redis.get(CONVERSATION))
        assert state.pop("startedAt")
        assert state == {
            "jobId": job_id,
            "channelId": CHANNEL,
            "userId": "U0PERSON",
            "platform": "slack",
            "project": "agent-smith-test",
            "ticketId": 104,
            "pendingQuestionId": None,
        }
        unused = {"questionId": "", "prUrl": "", "summary": "", "content": ""}

        def said(*kinds: str) -> list[dict[str, str]]:
            return [fields for _id, fields in redis.xrange(f"job:{job_id}:out") if fields["type"] in kinds]

        details = await_condition(lambda: said("Detail"))
        assert said("Progress", "Question", "Done", "Error") == [
            {"type": "Progress", "jobId": job_id, "text": label, "step": str(step), "total": "9", **unused}
            for step, label in enumerate(LABELS[:7], start=1)
        ]
        # The Dispatcher throws them away.
        assert not any(fields["text"] in text for fields in details for text in platform.person.texts())


@pytest.mark.stand_in_agent("ticket 101 asks")
@pytest.mark.parametrize(
    ("button", "emoji", "result", "exit_code"),
    [
        ("yes", ":white_check_mark:", ":rocket: *Done!* Pipeline completed successfully", 0),
        ("no", ":x:", ":x: Agent Smith failed — ticket #101 in agent-smith-test", 1),
    ],
)
def test_a_question_is_answered_by_a_button(
    platform: Platform, button: str, emoji: str, result: str, exit_code: int
) -> None:
    platform.person.say("fix #101 in agent-smith-test")
    question = platform.person.await_message("Question:")
    assert question["text"] == ":thought_balloon: *Question:* Carry out the plan?"
    with redis_of(platform) as redis:
        await_condition(lambda: json.loads(redis.get(CONVERSATION))["pendingQuestionId"] == "approval")
    platform.person.press(question, button)
    answered = platform.person.await_message("Answered:")
    assert answered["ts"] == question["ts"]
    assert answered["text"] == f":thought_balloon: *approval*\n{emoji} Answered: *{button}*"
    assert [block["type"] for block in answered["blocks"]] == ["section"]
    assert platform.agents[0].wait() == exit_code
    assert platform.person.await_message("Done!|failed")["text"].startswith(result)
    with redis_of(platform) as redis:
        await_condition(lambda: redis.keys("*") == [])


def test_a_busy_channel_is_refused_and_another_one_is_not(platform: Platform) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    platform.person.say("fix #54 in short")
    refusal = platform.person.await_message("already a job running")
    assert refusal["text"] == (
        ":hourglass: There is already a job running for this channel "
        f"(job `{job_id_of(platform)}` for ticket #104). Please wait for it to complete."
    )
    platform.person.say("fix #54 in short", "C0ANOTHER")
    platform.person.await_message("Done!", "C0ANOTHER")
    assert len(platform.kubernetes.jobs) == 2


@pytest.mark.stand_in_agent("ten real agents would push one branch at once")
def test_ten_channels_at_once(platform: Platform) -> None:
    channels = [platform.person.add_channel(f"team-{number}") for number in range(10)]
    for channel in channels:
        platform.person.say("fix #54 in agent-smith-test", channel)
    for channel in channels:
        platform.person.await_message("Done!", channel, timeout=120)
        assert len(platform.person.messages(channel)) == 4
    assert len({job["metadata"]["name"] for job in platform.kubernetes.jobs}) == 10
    assert [agent.wait() for agent in platform.agents] == [0] * 10


@pytest.mark.stand_in_agent("its steps take half a second each")
def test_a_job_outlives_a_restart_of_redis_unheard_and_the_next_message_works(platform: Platform) -> None:
    platform.person.say("fix #54 in agent-smith-test")
    platform.person.await_message(r"\[[2-7]/9\]")
    platform.redis.kill()
    platform.start_redis()
    assert platform.agents[0].wait() == 0
    platform.dispatcher.expect("Received message for unknown job")
    # What the Dispatcher knew about the job is lost, and so is what blocked the channel.
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
    assert len(platform.person.texts()) == len(set(platform.person.texts()))


@pytest.mark.stand_in_agent("its steps take half a second each")
def test_a_restart_of_the_dispatcher_orphans_a_job_and_blocks_its_channel(platform: Platform) -> None:
    platform.person.say("fix #54 in agent-smith-test")
    platform.person.await_message(r"\[[2-7]/9\]")
    platform.dispatcher.signal(signal.SIGTERM)
    assert platform.dispatcher.wait() == 0
    platform.start_dispatcher()
    assert platform.agents[0].wait() == 0
    platform.person.say("fix #54 in short")
    platform.person.await_message("already a job running")
    assert not any("Done!" in text for text in platform.person.texts())
    with redis_of(platform) as redis:
        assert TWO_HOURS - 60 < redis.ttl(CONVERSATION) <= TWO_HOURS
        # Nobody waits two hours here.
        redis.delete(CONVERSATION)
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")


@pytest.mark.stand_in_agent("ticket 102 fails in every pipeline")
def test_a_failure_is_shown_and_frees_the_channel(platform: Platform) -> None:
    platform.person.say("fix #102 in short")
    error = platform.person.await_message("failed")
    assert error["text"] == ":x: Agent Smith failed — ticket #102 in short"
    (section, actions) = error["blocks"]
    heading, reason = section["text"]["text"].split("\n")
    assert heading == ":x: *Agent Smith failed* — ticket *#102* in *short*"
    assert reason.startswith("*Reason:* The stand-in fails on this ticket")
    assert [button["text"]["text"] for button in actions["elements"]] == ["Retry"]
    assert platform.agents[0].wait() == 1
    platform.await_free_channels()
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (404, "A required resource was not found. Check ticket number and project name."),
        (401, "Authentication failed. Check your API tokens."),
    ],
)
@pytest.mark.stand_in_agent("tickets 401 and 404 fail as their numbers say")
def test_the_reason_of_a_failure_is_a_sentence_of_the_dispatcher(platform: Platform, ticket: int, reason: str) -> None:
    platform.person.say(f"fix #{ticket} in agent-smith-test")
    error = platform.person.await_message("failed")
    assert error["text"] == f":x: Agent Smith failed — ticket #{ticket} in agent-smith-test"
    assert reason_in(error) == reason
    assert platform.agents[0].wait() == 1
    with redis_of(platform) as redis:
        await_condition(lambda: redis.keys("*") == [])


@pytest.mark.stand_in_agent("ticket 102 fails in every pipeline")
def test_a_failed_job_is_tried_again_by_its_button(platform: Platform) -> None:
    platform.person.say("fix #102 in short")
    error = platform.person.await_message("failed")
    platform.await_free_channels()
    platform.person.press(error, "102:short")
    platform.person.await_message("failed", count=2)
    assert platform.person.texts().count(":rocket: Starting Agent Smith for ticket *#102* in *short*...") == 2
    first, second = platform.kubernetes.jobs
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert second["spec"]["template"]["spec"]["containers"][0]["args"][-1] == "fix #102 in short"


@pytest.mark.stand_in_agent("ticket 102 fails in every pipeline")
def test_a_button_to_try_again_waits_for_a_busy_channel(platform: Platform) -> None:
    platform.person.say("fix #102 in short")
    error = platform.person.await_message("failed")
    platform.await_free_channels()
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    platform.person.press(error, "102:short")
    busy = platform.person.await_message("already running")
    assert busy["text"] == ":hourglass: A job is already running. Please wait."
    assert len(platform.kubernetes.jobs) == 2


@pytest.mark.stand_in_agent("ticket 102 fails in every pipeline")
def test_the_owner_is_called_and_the_log_is_linked_if_the_environment_says_so(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(OWNER_SLACK_USER_ID="U0OWNER", LOG_BASE_URL="https://logs.example.com/")
    platform.person.say("fix #102 in short")
    error = platform.person.await_message("failed")
    _retry, logs, _contact = error["blocks"][1]["elements"]
    assert logs["url"] == f"https://logs.example.com/agentsmith-{job_id_of(platform)}"
    platform.person.press(error, "U0OWNER")
    called = platform.person.await_message("U0OWNER")
    assert called["text"] == ":bust_in_silhouette: <@U0OWNER> — a user needs help with a failed job."


SUGGESTION = (
    "Ticket #54 found in *agent-smith-test*, *short*, *unknown-command*. Please specify: `fix #54 in <project>`"
)


@pytest.mark.parametrize(
    ("button", "shown", "answer"),
    [("help", "Showing help", HELP), ("confirm", "Confirmed", not_understood(SUGGESTION))],
)
def test_a_ticket_of_several_projects_is_asked_about(platform: Platform, button: str, shown: str, answer: str) -> None:
    platform.person.say("<@U0AGENTSMITH> fix #54")
    question = platform.person.await_message("Did you mean")
    assert question["text"] == f":thinking_face: Did you mean: *{SUGGESTION}*?"
    labels = [element["text"]["text"] for element in question["blocks"][1]["elements"]]
    assert labels == ["Yes, do it", "Show help"]
    key = f"clarification:slack:{CHANNEL}"
    with redis_of(platform) as redis:
        assert redis.keys("*") == [key]
        assert TWO_HOURS - 30 < redis.ttl(key) <= TWO_HOURS
        assert json.loads(redis.get(key)) == {
            "suggestedText": SUGGESTION,
            "originalInput": "fix #54",
            "userId": "U0PERSON",
        }
        platform.person.press(question, button)
        # The app reads its own sentence, which it does not understand: nothing is ever confirmed.
        assert platform.person.await_message(re.escape(answer))["text"] == answer
        assert redis.keys("*") == []
    answered = platform.person.await_message("Answered:")
    assert answered["ts"] == question["ts"]
    assert answered["text"] == f":thought_balloon: *Clarification*\n:x: Answered: *{shown}*"
    assert platform.kubernetes.jobs == []


def test_a_ticket_of_one_project_needs_no_project(platform: Platform) -> None:
    (file := platform.dispatcher_app / "config" / "agentsmith.yml").write_text(
        CONFIGURATION.replace('"type": "GitHub"', '"type": "GitLab"').replace('"AzureDevOps"', '"GitHub"')
    )
    assert "GitLab" in file.read_text()
    platform.person.say("#54")
    platform.person.await_message(r"Starting Agent Smith for ticket \*#54\* in \*on-azure\*")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param(
            "fix #103 in short",
            "The stand-in crashes on this ticket",
            marks=pytest.mark.stand_in_agent("ticket 103 ends it before its pipeline"),
        ),
        ("fix #54 in no-such-project", "Project 'no-such-project' not found in configuration."),
        ("fix #54 in api-v2", "Project 'api-v' not found in configuration."),
    ],
)
def test_a_crash_before_the_pipeline_is_not_heard_of(platform: Platform, text: str, cause: str) -> None:
    platform.person.say(text)
    platform.person.await_message("Starting")
    await_condition(lambda: platform.agents)
    assert platform.agents[0].wait() == 1
    assert f"ConfigurationException: {cause}" in platform.agents[0].output
    platform.person.say("fix #54 in short")
    platform.person.await_message("already a job running")
    assert len(platform.person.texts()) == 4


def test_an_agent_without_a_configuration_is_not_heard_of(platform: Platform) -> None:
    (platform.agent_app / "config" / "agentsmith.yml").unlink()
    platform.person.say("fix #54 in short")
    await_condition(lambda: platform.agents)
    assert platform.agents[0].wait() == 1
    assert "Configuration file not found: config/agentsmith.yml" in platform.agents[0].output
    platform.person.say("fix #54 in short")
    platform.person.await_message("already a job running")


@pytest.mark.stand_in_agent("the words on its stderr are its own")
def test_an_unknown_command_ends_the_agent_after_its_progress(platform: Platform) -> None:
    platform.person.say("fix #54 in unknown-command")
    platform.person.await_message(r":test_tube: \*\[2/2\]\* Generating tests")
    assert platform.agents[0].wait() == 1
    assert "Unknown command: GenerateTestsCommand" in platform.agents[0].output


def test_a_missing_token_in_the_job(platform: Platform) -> None:
    platform.person.say("fix #54 in on-azure")
    assert reason_in(platform.person.await_message("failed")) == (
        "Required environment variable 'AZURE_DEVOPS_TOKEN' is not set."
    )


def test_a_terminated_agent_is_not_heard_of(platform: Platform) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    platform.agents[0].signal(signal.SIGTERM)
    assert platform.agents[0].wait() == 143
    assert not any(":x:" in text or "failed" in text for text in platform.person.texts())


def test_the_api_refuses_a_project_that_is_no_label(platform: Platform) -> None:
    platform.person.say("fix #54 in projects/mine")
    error = platform.person.await_message("^:x: ")
    assert error["text"].startswith(
        ":x: Operation returned an invalid status code 'UnprocessableEntity', response body {"
    )
    assert "blocks" not in error
    assert "'projects/mine'" in error["text"]
    # No job, so the channel is free.
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")


def test_a_missing_role_is_shown(platform: Platform) -> None:
    platform.kubernetes.forbid()
    platform.person.say("fix #54 in short")
    error = platform.person.await_message("^:x: ")
    assert error["text"].startswith(":x: Operation returned an invalid status code 'Forbidden', response body {")
    assert "jobs.batch is forbidden" in error["text"]
    # Nothing is left that would block the channel.
    with redis_of(platform) as redis:
        assert redis.keys("*") == []


def test_an_api_server_that_is_gone_is_shown(platform: Platform) -> None:
    platform.kubernetes.close()
    platform.person.say("fix #54 in short")
    host, port = (platform.kubernetes.environment[f"KUBERNETES_SERVICE_{name}"] for name in ("HOST", "PORT"))
    assert platform.person.await_message("^:x: ")["text"] == f":x: Connection refused ({host}:{port})"


def test_a_redis_that_is_gone_is_shown_without_its_password(platform: Platform) -> None:
    platform.dispatcher.kill()
    options = f"password={REDIS_PASSWORD},abortConnect=false,connectTimeout=300,asyncTimeout=300"
    platform.start_dispatcher(REDIS_URL=f"127.0.0.1:{find_free_port()},{options}")
    platform.person.say("fix #54 in short")
    error = platform.person.await_message("^:x: ")["text"]
    assert error.startswith(":x: The message timed out in the backlog attempting to send because no connection")
    assert REDIS_PASSWORD not in error
    assert platform.kubernetes.jobs == []
    # What needs no Redis works.
    platform.person.say("help")
    platform.person.await_message("here's what I can do")


def test_the_password_of_a_url_is_not_shown(platform: Platform) -> None:
    platform.dispatcher.kill()
    url = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{platform.redis_port},abortConnect=false,asyncTimeout=300"
    platform.start_dispatcher(REDIS_URL=url)
    platform.person.say("fix #54 in short")
    error = platform.person.await_message("^:x: ")["text"]
    assert "timed out in the backlog" in error
    assert REDIS_PASSWORD not in error


@pytest.mark.stand_in_only("it is the stand-in's own switch")
def test_the_ttl_of_jobs_can_be_shortened(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(STAND_IN_JOB_TTL_SECONDS="20")
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
    assert platform.kubernetes.jobs[0]["spec"]["ttlSecondsAfterFinished"] == 20


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("list tickets in short", ":white_check_mark: No open tickets found in *short*."),
        ("list tickets in none", ":x: Project *none* not found in configuration."),
        ("list tickets in on-azure", ":x: Required environment variable 'AZURE_DEVOPS_TOKEN' is not set."),
        ("list", ":x: Multiple projects configured. Please specify: `list tickets in <project>`"),
        ("list tickets", ":x: Multiple projects configured. Please specify: `list tickets in <project>`"),
        ('create ticket "Add logging" in short', ":x: CreateAsync is not supported by ITicketProvider"),
        ('create "Add logging" in short', ":x: CreateAsync is not supported by ITicketProvider"),
        ('create ticket "Add logging" in none', ":x: Project *none* not found in configuration."),
        ("fix #99999999999 in short", ":x: Value was either too large or too small for an Int32."),
        ("fix #1", ":x: Ticket #1 was not found in any configured project."),
        ("hi", HELLO),
        ("Good morning!", HELLO),
        ("help", HELP),
        ("?", HELP),
        ("make me a sandwich", not_understood("make me a sandwich")),
        ("fix #54 in short please", not_understood("fix #54 in short please")),
    ],
)
def test_what_the_dispatcher_answers_itself(platform: Platform, text: str, answer: str) -> None:
    platform.person.say(text)
    assert platform.person.await_message("")["text"] == answer
    assert platform.kubernetes.jobs == []


@pytest.mark.stand_in_only("its ticket providers have the tickets of a table")
def test_the_list_of_an_azure_project_is_the_table(platform: Platform) -> None:
    platform.dispatcher.kill()
    platform.start_dispatcher(AZURE_DEVOPS_TOKEN="")
    platform.person.say("list tickets for on-azure")
    lines = platform.person.await_message("Open tickets")["text"].splitlines()
    assert lines[0] == ":ticket: *Open tickets in on-azure* (7 total):"
    assert lines[1] == "• *#54* — Say hello in the README `[Active]`"


def test_the_configuration_is_read_for_every_request(platform: Platform) -> None:
    file = platform.dispatcher_app / "config" / "agentsmith.yml"
    platform.person.say("list tickets in late")
    platform.person.await_message("Project \\*late\\* not found")
    file.write_text(CONFIGURATION.replace('"short": {', '"late": {', 1))
    platform.person.say("list tickets in late")
    platform.person.await_message("No open tickets found in \\*late\\*")
    file.unlink()
    platform.person.say("list tickets in late")
    platform.person.await_message("^:x: Configuration file not found: config/agentsmith.yml$")
    file.write_text("projects: [")
    platform.person.say("list tickets in late")
    platform.person.await_message("^:x: Invalid YAML in config/agentsmith.yml: ")
    file.unlink()
    for text in ("fix #54", "list"):
        platform.person.say(text)
        platform.person.await_message("^:x: Configuration file not found: config/agentsmith.yml$", count=2)
    # None of this needs a restart, nor does `fix` look at the file if it has its project.
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")
