# SPDX-License-Identifier: GPL-3.0-or-later
"""What people say in Slack, and what becomes of it on a cluster: the app's contract, sections 1.4, 1.6 and 1.7."""

from __future__ import annotations

import re

import pytest

READY = r"\*Done!\* Pipeline completed successfully"
END_TO_END = {"e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion", "e2e_configuration", "e2e_cleanup"}


def test_verify_holds_a_conversation_and_prints_it(playbook):
    run = playbook("playbooks/verify.yml", "-e", "verify_end_to_end=true")
    assert run.returncode == 0, run.output
    assert run.checks("ok") >= END_TO_END
    assert run.checks("failed") == set()
    said = [
        "you          fix #54 in agent-smith-test",
        r"Agent Smith  :rocket: Starting Agent Smith for ticket \*#54\* in \*agent-smith-test\*",
        r"Agent Smith  :[a-z_]+: \*\[[1-9]/9\]\*",
        rf"Agent Smith  :rocket: {READY}",
        "Kubernetes   Job agentsmith-[0-9a-f]{12} is gone, after its time to live of 5 s",
    ]
    places = [re.search(text, run.output) for text in said]
    assert all(places), run.output
    assert [place.start() for place in places] == sorted(place.start() for place in places)


def test_verify_without_a_conversation_is_quick(playbook, tmp_path):
    run = playbook("playbooks/verify.yml", "-e", f"verify_junit_file={tmp_path}/verify.xml")
    assert run.returncode == 0, run.output
    assert '<testcase classname="dev" name="network_policy" />' in (tmp_path / "verify.xml").read_text()
    assert run.checks("ok").isdisjoint(END_TO_END)
    assert "network_policy" in run.checks("ok")
    assert run.seconds < 15


def test_two_projects_at_the_same_time(person, add_channel, job_of):
    channels = {project: add_channel() for project in ("my-project", "agent-smith-test")}
    for project, channel in channels.items():
        person.say(f"fix #54 in {project}", channel)
    for project, channel in channels.items():
        # It runs: soon after its end, it is removed
        person.await_message(r"\*\[[1-9]/", channel, timeout=120)
        assert job_of(channel)["metadata"]["labels"]["project"] == project
    for channel in channels.values():
        person.await_message(READY, channel, timeout=120)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # Only Azure DevOps lists tickets at this stage of the app, and no provider creates one
        ("list tickets in my-project", ":white_check_mark: No open tickets found in *my-project*."),
        ("list tickets for no-such-project", ":x: Project *no-such-project* not found in configuration."),
        ('create ticket "Add logging" in my-project', ":x: CreateAsync is not supported by ITicketProvider"),
        ("list", ":x: Multiple projects configured. Please specify: `list tickets in <project>`"),
        # The configuration on the cluster, and the tokens that are there, are what a ticket is looked for with
        ("fix #1", ":x: Ticket #1 was not found in any configured project."),
        (
            "make me a sandwich",
            ':shrug: I didn\'t understand: "make me a sandwich"\n\nType `help` to see what I can do.',
        ),
    ],
)
def test_what_the_dispatcher_answers_itself(person, add_channel, text, answer):
    channel = add_channel()
    person.say(text, channel)
    assert person.await_message("", channel)["text"] == answer


def test_a_busy_channel_is_refused_until_the_question_is_answered_by_a_button(person, add_channel, job_of):
    channel = add_channel()
    person.say("fix #101 in agent-smith-test", channel)
    question = person.await_message("Question:", channel, timeout=60)
    job_id = job_of(channel)["metadata"]["labels"]["job-id"]
    person.say("fix #54 in my-project", channel)
    refusal = person.await_message("already a job running", channel)
    assert f"(job `{job_id}` for ticket #101)" in refusal["text"]
    person.press(question, "yes", channel)
    person.await_message(r"Answered: \*yes\*", channel)
    person.await_message(READY, channel)
    person.say("fix #54 in my-project", channel)
    person.await_message(READY, channel, count=2, timeout=60)


def test_no_text_of_a_message_is_in_the_log(person, add_channel, kubectl):
    channel = add_channel()
    person.say("help text-that-is-looked-for", channel)
    person.await_message('didn\'t understand: "help text-that-is-looked-for"', channel)
    log = kubectl("-n agentsmith logs deployment/agentsmith-dispatcher")
    assert "text-that-is-looked-for" not in log
    # It is a log, and of the Dispatcher
    assert "Application started" in log


def test_a_failed_job_is_shown_with_its_reason_and_tried_again_by_its_button(person, add_channel):
    channel = add_channel()
    person.say("fix #102 in my-project", channel)
    error = person.await_message("failed", channel, timeout=60)
    assert error["text"] == ":x: Agent Smith failed — ticket #102 in my-project"
    assert "*Reason:* The stand-in fails on this ticket" in error["blocks"][0]["text"]["text"]
    person.press(error, "102:my-project", channel)
    person.await_message("Starting", channel, count=2)
    person.await_message("failed", channel, count=2, timeout=60)


def test_a_channel_whose_job_was_killed_is_stuck_until_it_is_freed(playbook, person, add_channel, job_of, kubectl):
    channel, other = add_channel(), add_channel()
    for busy in (channel, other):
        person.say("fix #101 in agent-smith-test", busy)
        person.await_message("Question:", busy, timeout=60)
    refused = playbook("playbooks/unblock.yml", "-e", f"unblock_channels={channel}", "-e", "unblock_confirm=true")
    assert refused.returncode == 2
    job = job_of(channel)["metadata"]["name"]
    assert f"{channel}: its Job {job} runs" in " ".join(refused.output.split())
    kubectl(f"-n agentsmith delete job {job} --wait")
    status = playbook("playbooks/status.yml")
    assert re.search(rf"{channel} +stuck +fix #101 in agent-smith-test +1\d\d min +its Job \S+ is gone", status.output)
    assert re.search(rf"{other} +running ", status.output)
    for options in (["--check"], ["-e", "unblock_confirm=true"]):
        person.say("fix #54 in my-project", channel)
        person.await_message("already a job running", channel, count=2 if "-e" in options else 1)
        run = playbook("playbooks/unblock.yml", *options)
        assert (run.returncode, channel in run.output, other in run.output) == (0, True, False), run.output
    person.say("fix #54 in my-project", channel)
    person.await_message(READY, channel, timeout=60)
    person.press(person.await_message("Question:", other), "yes", other)
    person.await_message(READY, other, timeout=60)


def test_ten_messages_at_once_in_ten_channels_all_finish(person, add_channel):
    channels = [add_channel() for _number in range(10)]
    for channel in channels:
        person.say("fix #54 in agent-smith-test", channel)
    for channel in channels:
        person.await_message(READY, channel, timeout=240)
        # The request, the start, one message for all steps, the end
        assert len(person.messages(channel)) == 4
