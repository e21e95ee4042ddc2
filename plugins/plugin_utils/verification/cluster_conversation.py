# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with an installation: through a forwarded port of the stand-in Slack, its Job by the API server."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..api.http_over_socket import Answer, send_request
from ..api.pod_stream import ContainerOf, StreamCut, forwarded_port
from ..objects.errors import ApiError, ApplyError, ConnectionFailed
from ..pods.diagnosis import read_events
from ..pods.job_state import JobState, state_of
from ..pods.pod import controlled_by
from ..pods.spawned_jobs import container_of_job
from .configuration import FILE
from .conversation import Conversation, Talk
from .end_to_end import CHECKS, judge_conversation
from .outcome import FAILED, NOT_CHECKED, Outcome
from .probe import not_asked
from .stand_in_slack import StandInSlack
from .target import Target

POD_TIMEOUT = 10.0  # seconds
# Bytes of all messages of a channel. The app quotes the answers of others, pages among them, in texts and in blocks.
LARGEST_CHANNEL = 16 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What to say, where. For `timeout` and `cleanup_timeout` see Talk; `deployment` and `port` are the Slack's."""

    text: str
    deployment: str
    port: int
    timeout: float
    cleanup_timeout: float


def converse(target: Target, request: Request, mask: Callable[[str], str] = str) -> tuple[list[Outcome], Conversation]:
    """Hold one conversation in a channel of its own, and judge it.

    :param mask: hides the values of Secrets in what is quoted.
    :raises ConnectionFailed: when the API server stays away.
    """
    try:
        pods = target.ready_containers(target.deployment(request.deployment))
        if not pods:
            raise ApplyError(f"no pod of the Deployment {request.deployment}, the stand-in Slack, is ready")
        slack = StandInSlack(lambda *what: _send(target, pods[0], request.port, *what))
        talk = Talk(slack, lambda channel: _job_of(target, channel), request.timeout, request.cleanup_timeout)
        conversation = talk.hold(slack.add_channel(f"verify-{uuid.uuid4().hex[:8]}"), request.text)
    except ConnectionFailed:
        raise
    except StreamCut as error:
        return not_asked(CHECKS, error), Conversation()
    except ApplyError as error:
        first, *others = CHECKS
        hint = "The end-to-end part needs the stand-in Slack in the namespace (docker/stand-in in the repository)."
        outcomes = [Outcome(first, FAILED, str(error), hint)]
        outcomes += [Outcome(check, NOT_CHECKED, "the message was not sent") for check in others]
        return outcomes, Conversation()
    configuration = ((target.config_map or {}).get("data") or {}).get(FILE)
    return judge_conversation(conversation, configuration, mask), conversation


def _send(target: Target, pod: ContainerOf, port: int, method: str, path: str, body: bytes) -> Answer:
    with forwarded_port(target.connection, pod, port, POD_TIMEOUT) as connected:
        return send_request(
            connected, method, path, body, {"Content-Type": "application/json"}, largest=LARGEST_CHANNEL
        )


def _job_of(target: Target, channel: str) -> tuple[dict[str, Any], JobState] | None:
    for job in target.read_jobs():
        if channel not in (container_of_job(job).get("args") or []):
            continue
        pods = controlled_by(target.read_job_pods(), job["metadata"]["uid"])
        try:
            events = [] if pods else read_events(target.connection, target.names.namespace, job["metadata"]["uid"])
        except ApiError:
            events = []  # the state stays, its cause is not known
        return job, state_of(job, pods, events, datetime.now(UTC))
    return None
