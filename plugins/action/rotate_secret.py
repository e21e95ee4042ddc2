# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.rotate_secret on the control node; the documentation is in plugins/modules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import drain_of, transaction_of
from ..plugin_utils.api.connection import Connection
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.objects.identity import Identity
from ..plugin_utils.objects.normalisation import normalise_objects
from ..plugin_utils.release.commit import CommitRun
from ..plugin_utils.release.deploy import DeployRun
from ..plugin_utils.release.restore import CURRENT, RestoreRun
from ..plugin_utils.release.rotation import Rotation
from ..plugin_utils.release.run import Run, Settings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__, unquoted=["objects"])


OF_OTHERS = (
    "Another tool manages the Secret, so its old values are not known here. Restore them at their source, and deploy."
)


class ActionModule(ClusterAction):
    """Changes named keys of a Secret and rolls the workloads that read them."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task: a preview decides whether the cluster is changed."""
        options = self.checked_options(tmp, task_vars, OPTIONS, required_by={"drain": ("transaction",)})
        check_mode, diff_mode = self._task.check_mode, self._task.diff
        redactor = Redactor()
        wait = {"wait": options["wait"], "wait_timeout": options["wait_timeout"]}
        wait["say"] = self.say_for(task_vars, redactor)
        looking = Settings(check_mode=True, diff_mode=diff_mode)
        run = preview = Run(looking, redactor)
        ends: list[Run] = []
        try:
            # Whatever the inventory has besides is not rotated, and so not recorded either.
            transaction = options["transaction"] and replace(transaction_of(options["transaction"]), complete=False)
            drain = drain_of(options["drain"])
            if transaction:
                run = preview = DeployRun(looking, redactor, transaction, drain)
            bodies = normalise_objects(options["objects"])
            redactor.learn(bodies)
            secret = Identity("v1", "Secret", options["namespace"], options["secret"])
            rotation = Rotation(bodies, secret, options["keys"])
            _refuse(rotation.input_faults())
            with self.connection(options) as connection:
                preview.execute(connection, rotation.objects)
                _refuse(rotation.preview_faults(preview.result()["objects"]))
                if not check_mode and transaction is None:
                    run = Run(Settings(diff_mode=diff_mode, **wait), redactor)
                    run.execute(connection, rotation.objects)
                elif not check_mode:
                    run = deploy = DeployRun(Settings(diff_mode=diff_mode, **wait), redactor, transaction, drain)
                    try:
                        deploy.execute(connection, rotation.objects)
                    except Exception as error:
                        if not deploy.started:
                            raise
                        if not rotation.brings_the_secret:
                            raise ApplyError(f"{error}\n\n{OF_OTHERS}") from None
                        # It has made no object, so there is none to prune.
                        undo = RestoreRun(Settings(**wait), redactor, transaction, CURRENT, deploy.holder)
                        ends.append(undo)
                        raise ApplyError(f"{error}\n\n{_outcome(undo, connection)}") from None
                    if deploy.holder:
                        commit = CommitRun(Settings(**wait), redactor, transaction, deploy.holder)
                        ends.append(commit)
                        commit.execute(connection, rotation.objects)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            done = {"changed": False} if run is preview else _result(run, ends)
            return {**done, **redactor.failure(error)}
        result = _result(run, ends)
        return {
            **result,
            "report": rotation.report(result["objects"], check_mode),
            "rolled": rotation.rolled(result["objects"]),
        }


def _refuse(faults: list[str]) -> None:
    """Stop before anything is written.

    :raises ApplyError: with all faults.
    """
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))


def _outcome(undo: RestoreRun, connection: Connection) -> str:
    """Undo a rotation that has failed; say what became of it, a failure included."""
    try:
        undo.execute(connection, [])
    except ApplyError as error:
        return str(error)
    return undo.summary


def _result(run: Run, ends: list[Run]) -> dict[str, Any]:
    """Return what a run returns, with the warnings of those that ended it."""
    result = run.result()
    warnings = [text for each in [result, *(end.result() for end in ends)] for text in each.get("warnings", [])]
    return {**result, "warnings": warnings} if warnings else result
