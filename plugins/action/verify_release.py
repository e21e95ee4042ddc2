# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.verify_release on the control node; the work is done in plugin_utils/verification."""

import base64
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import transaction_of
from ..plugin_utils.api.connection import Connection
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.objects.normalisation import normalise_objects
from ..plugin_utils.release.lock import ReleaseLease
from ..plugin_utils.secrets.redaction import Redactor
from ..plugin_utils.text.counted import counted
from ..plugin_utils.verification.app_release import APPS
from ..plugin_utils.verification.checks import verify
from ..plugin_utils.verification.cluster_conversation import Request, converse
from ..plugin_utils.verification.network_policy import LostCall
from ..plugin_utils.verification.outcome import FAILED, NOT_CHECKED, Outcome, table
from ..plugin_utils.verification.probe import Asked
from ..plugin_utils.verification.target import Names, Target

END_TO_END = "end_to_end"
OPTIONS = documented_options(__name__, unquoted=["objects"])


class ActionModule(ClusterAction):
    """Asks a running installation, and changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        if self._task.check_mode:
            options["end_to_end"] = None
        redactor = Redactor()
        try:
            with self.connection(options) as connection, _lock_kept(connection, options):
                outcomes, transcript = _verify(connection, options, redactor)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {"changed": False, **redactor.failure(error)}
        return _result(outcomes, transcript, redactor)


def _lock_kept(connection: Connection, options: dict[str, Any]) -> AbstractContextManager[None]:
    """Renew the lock of the deploy that is verified, where it is part of one."""
    if not options["holder"] or not options["transaction"]:
        return nullcontext()
    transaction = transaction_of(options["transaction"])
    lease = ReleaseLease(connection, transaction.owner, options["holder"], transaction.lock)
    lease.adopt()
    return lease.kept()


def _verify(connection: Connection, options: dict[str, Any], redactor: Redactor) -> tuple[list[Outcome], list[str]]:
    """Make the checks; return their outcomes, and the lines of the conversation if there was one."""
    objects = normalise_objects(options["objects"])
    redactor.learn(objects)
    names = Names(
        options["namespace"], options["secret_name"], options["config_map_name"], options["service_account_name"]
    )
    target = Target(connection, names, objects)
    try:
        # Before anything else: logs that are quoted may show its values.
        redactor.learn([target.secret])
    except ApplyError as error:
        if not getattr(error, "status", 0):
            raise  # nobody answers at all
    data = (target.intended("Secret", names.secret) or {}).get("data") or {}
    signing_secret = base64.b64decode(data.get("slack-signing-secret", "")).decode("utf-8", "replace")
    asked = Asked(
        target,
        signing_secret,
        options["url"],
        options["timeout"],
        options["public_url"],
        options["public_ca_file"],
        options["require_network_policy"],
        APPS[options["app"]],
        LostCall(**options["lost_call"]),
    )
    outcomes = verify(asked, options["only"])
    if not options["end_to_end"] or (options["only"] and END_TO_END not in options["only"]):
        return outcomes, []
    more, conversation = converse(target, Request(**options["end_to_end"]), redactor.text)
    return [*outcomes, *more], conversation.as_lines()


def _result(outcomes: list[Outcome], transcript: list[str], redactor: Redactor) -> dict[str, Any]:
    failed = [outcome for outcome in outcomes if outcome.result == FAILED]
    result: dict[str, Any] = {
        # A conversation starts a Job.
        "changed": bool(transcript),
        "checks": [outcome.as_dict() for outcome in outcomes],
        "table": "\n".join(table(outcomes)),
        "conversation": "\n".join(transcript),
        "failed_checks": [outcome.check for outcome in failed],
        "not_checked": [outcome.check for outcome in outcomes if outcome.result == NOT_CHECKED],
    }
    if failed:
        result["failed"] = True
        result["msg"] = "\n".join(
            [f"{len(failed)} of {counted(len(outcomes), 'check')} failed:"]
            + [f"- {outcome.check}: {outcome.evidence} {outcome.hint}" for outcome in failed]
        )
    return redactor.tree(result)
