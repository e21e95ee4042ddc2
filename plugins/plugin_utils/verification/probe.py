# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to the running system: what it is asked with, and what several questions have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..api.pod_stream import CommandMissing, StreamCut
from ..objects.errors import ApiError, ApplyError
from ..pods.diagnosis import causes_of_pod, describe_pod
from ..pods.pod import newest_unready
from ..pods.progress import progress_of
from ..pods.remedy import remedy_of_cause
from . import configuration, pods_ready, secret
from .app_release import APPS, DEFAULT_APP, AppRelease
from .network_policy import LostCall
from .outcome import FAILED, NOT_CHECKED, Outcome
from .target import Target

POD_TIMEOUT = 10.0  # seconds for an answer of a pod: longer than any that is in time


@dataclass(frozen=True)
class Asked:
    """The installation that is asked, and with what.

    Attributes:
        target: the installation.
        signing_secret: with which events are signed; empty means that of the live Secret.
        url: where the Dispatcher answers from outside, without a path; empty where it does not.
        timeout: seconds to wait for a changed ConfigMap to arrive in the pods, and for an answer at the addresses.
        public_url: where Slack reaches it, without a path; empty where it does not.
        public_ca_file: certificates that the answer there is to be trusted by; empty for the system's.
        require_network_policy: whether it is a failure that the network enforces no NetworkPolicy.
        app: the release of the app that runs.
        lost_call: the call of network_policy that a deploy has made while it waited for its pods.
    """

    target: Target
    signing_secret: str
    url: str
    timeout: float
    public_url: str = ""
    public_ca_file: str = ""
    require_network_policy: bool = False
    app: AppRelease = APPS[DEFAULT_APP]
    lost_call: LostCall = LostCall()


@dataclass(frozen=True)
class Probe:
    """Some checks that are made together. `part` is the part of the stack that they belong to."""

    checks: tuple[str, ...]
    part: str
    ask: Callable[[Asked], list[Outcome]]


def not_checked(checks: Sequence[str], reason: str) -> list[Outcome]:
    """Return that none of the *checks* could be made, and why."""
    return [Outcome(check, NOT_CHECKED, reason) for check in checks]


def not_asked(checks: Sequence[str], error: ApplyError) -> list[Outcome]:
    """Return that nobody answered what the *checks* asked, and why: that is no failure of the release."""
    hint = ""
    if isinstance(error, ApiError) and error.status == 403:
        hint = "The account that runs verify needs that right."
    elif "dialing backend" in str(error) or (isinstance(error, StreamCut) and not isinstance(error, CommandMissing)):
        hint = (
            "The API server does not get through to the pod: look at its node's kubelet, and at what is between them "
            "(port 10250). Then verify again."
        )
    return [Outcome(check, NOT_CHECKED, str(error), hint) for check in checks]


def rollout(asked: Asked, check: str, name: str, deployment: Any, wanted: bool) -> Outcome:
    """Judge a Deployment; if it is not rolled out, say why a pod does not start."""
    outcome = pods_ready.check_rollout(check, name, deployment, wanted)
    if outcome.result != FAILED or deployment is None:
        return outcome
    broken = newest_unready(asked.target.pods_of(deployment))
    diagnosis = describe_pod(asked.target.connection, broken) if broken else ""
    refusal = progress_of(deployment).cause
    causes = causes_of_pod(broken, crashes_count=True) if broken else [refusal] if refusal else []
    remedy = remedy_of_cause(causes[0], deployment, diagnosis) if causes else ""
    return pods_ready.check_rollout(check, name, deployment, wanted, diagnosis, remedy)


def intended_text(asked: Asked) -> str | None:
    """Return agentsmith.yml as the release has it, None if it has none."""
    intended = asked.target.intended("ConfigMap", asked.target.names.config_map)
    return intended["data"][configuration.FILE] if intended else None


def live_text(asked: Asked) -> str | None:
    """Return agentsmith.yml as the live ConfigMap has it, None if it has none."""
    return ((asked.target.config_map or {}).get("data") or {}).get(configuration.FILE)


def refusal_of(asked: Asked, pod: Any) -> ApiError | None:
    """Return why the API server would refuse a pod, None if it would take it. A dry run: nothing is made."""
    path = f"/api/v1/namespaces/{asked.target.names.namespace}/pods"
    try:
        asked.target.connection.request("POST", path, query={"dryRun": "All"}, body=pod)
    except ApiError as error:
        return error
    return None


def known_signing_secret(asked: Asked) -> str:
    """Return the secret that Slack's requests are signed with: the given one, or that of the live Secret."""
    live = ((asked.target.secret or {}).get("data") or {}).get("slack-signing-secret", "")
    return asked.signing_secret or secret.value_of(live)
