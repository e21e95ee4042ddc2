# SPDX-License-Identifier: GPL-3.0-or-later
"""What a conversation has to show: a Job, its progress, its completion, its configuration and its removal."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

from ..text.counted import counted
from ..text.one_line import one_line
from .conversation import AGENT_SMITH, DELIVERED, Conversation, describe_job
from .outcome import FAILED, NOT_CHECKED, OK, Outcome, judged

CHECKS = ("e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion", "e2e_configuration", "e2e_cleanup")
LONGEST_EVIDENCE = 500  # characters: an API server's refusal with the name of what it refuses
_JOB_NAME = re.compile(r"agentsmith-[0-9a-f]{12}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def judge_conversation(
    conversation: Conversation, configuration: str | None, mask: Callable[[str], str] = str
) -> list[Outcome]:
    """Return one outcome for each of CHECKS.

    :param configuration: the text of the ConfigMap, which the agent's copy is compared with.
    :param mask: hides the values of Secrets in a text: the app and the API server may quote one.
    """
    outcomes = [
        _delivery(conversation),
        _job(conversation),
        _progress(conversation),
        _completion(conversation),
        _configuration(conversation, configuration),
        _cleanup(conversation),
    ]
    # Masked before it is cut: half of a value is not recognised.
    return [replace(outcome, evidence=_shortened(mask(outcome.evidence))) for outcome in outcomes]


def _delivery(seen: Conversation) -> Outcome:
    evidence = seen.delivery or "the Dispatcher has not answered"
    hint = "Slack could not deliver the message: check `health`, `challenge` and Slack's signing secret."
    return judged("e2e_delivery", seen.delivery == DELIVERED, evidence, hint)


def _job(seen: Conversation) -> Outcome:
    if seen.job is None and seen.delivery not in ("", DELIVERED):
        return Outcome("e2e_job", NOT_CHECKED, "the message was not delivered")
    if seen.job is None:
        evidence = f"no Job was spawned; {_last_words(seen)}"
        return Outcome("e2e_job", FAILED, evidence, _hint_without_job(seen))
    name = seen.job[1].name
    hint = "The app names its Jobs agentsmith-<12 hexadecimal digits>."
    return judged("e2e_job", _JOB_NAME.fullmatch(name) is not None, name, hint)


def _progress(seen: Conversation) -> Outcome:
    if seen.steps:
        number, total = seen.steps[-1]
        return Outcome(
            "e2e_progress", OK, f"{counted(len(set(seen.steps)), 'step')} seen, the last is {number} of {total}"
        )
    if seen.job is None:
        return Outcome("e2e_progress", NOT_CHECKED, "there was no Job")
    if seen.job[1].cause or seen.error:
        return Outcome("e2e_progress", NOT_CHECKED, "the Job did not get that far; see e2e_completion")
    hint = "The Job reports through Redis: read its log, and check that redis-url leads it to the same Redis."
    if _is_silent(seen):
        hint = (
            "The channel does not show even the start: Slack refuses the bot token, or cannot be reached. Read the "
            "Dispatcher's log."
        )
    return Outcome("e2e_progress", FAILED, f"no step was reported; {_state(seen)}", hint)


def _completion(seen: Conversation) -> Outcome:
    if seen.done:
        return Outcome("e2e_completion", OK, seen.done)
    if seen.job is None:
        return Outcome("e2e_completion", NOT_CHECKED, "there was no Job")
    hint = (
        "The evidence shows the cause. Slack does not show the exception that ends an agent: while the pod of the Job "
        "exists, its log has it."
    )
    return Outcome("e2e_completion", FAILED, f"{_state(seen)}; {_last_words(seen)}", hint)


def _configuration(seen: Conversation, configuration: str | None) -> Outcome:
    """Jobs read the copy in their image, which the ConfigMap does not change."""
    check, told = "e2e_configuration", _DIGEST.search(seen.done)
    if configuration is None or not told:
        return Outcome(check, NOT_CHECKED, "the agent did not report which configuration it reads")
    wanted = hashlib.sha256(configuration.encode()).hexdigest()
    evidence = f"agent sha256:{told[1][:12]}, ConfigMap sha256:{wanted[:12]}"
    return judged(check, told[1] == wanted, evidence, "Build the agent's image again with the present configuration.")


def _cleanup(seen: Conversation) -> Outcome:
    check = "e2e_cleanup"
    if seen.job is None:
        return Outcome(check, NOT_CHECKED, "there was no Job")
    ttl = seen.job[0]["spec"].get("ttlSecondsAfterFinished")
    if not seen.job_has_ended:
        return Outcome(check, NOT_CHECKED, "the Job has not ended")
    if seen.gone is None:
        return Outcome(check, NOT_CHECKED, f"its time to live, {ttl} s, is too long to wait for; see job_ttl later")
    evidence = f"{seen.job[1].name} is gone" if seen.gone else f"{seen.job[1].name} is still there"
    return judged(check, seen.gone, f"{evidence}, time to live {ttl} s", "Look at kube-controller-manager's log.")


def _state(seen: Conversation) -> str:
    return describe_job(seen.job[1]) if seen.job else "there is no Job"


def _last_words(seen: Conversation) -> str:
    """Return what the app has said at last, and why nothing more was waited for."""
    said = [text for _seconds, who, text in seen.transcript if who == AGENT_SMITH]
    words = f"last message: {seen.error or said[-1]}" if said else "there was no message in the channel"
    return f"{words}; {seen.ended}" if seen.ended else words


def _is_silent(seen: Conversation) -> bool:
    return not any(who == AGENT_SMITH for _seconds, who, _text in seen.transcript)


def _hint_without_job(seen: Conversation) -> str:
    if seen.error:
        return "The evidence is the app's answer in the channel; the Dispatcher's log says more."
    if _is_silent(seen):
        return (
            "The Dispatcher took the message and dropped it. Its log says why: it finds no Kubernetes API or, with "
            '0.9.2, it has no variable ANTHROPIC_API_KEY, which agentsmith_app: "0.9.2" sets.'
        )
    return "The Dispatcher says why in the channel and in its log."


def _shortened(text: str) -> str:
    """Return one line of a bounded length."""
    return one_line(text, LONGEST_EVIDENCE)
