# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.apply on the control node; the work is done in plugin_utils."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import drain_of, transaction_of
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.objects.owner import Owner
from ..plugin_utils.release.deploy import DeployRun
from ..plugin_utils.release.run import Run, Settings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__, unquoted=["objects"])


class ActionModule(ClusterAction):
    """Applies or deletes the objects of a release."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(
            tmp,
            task_vars,
            OPTIONS,
            mutually_exclusive=[("prune", "transaction")],
            required_by={"drain": ("transaction",)},
        )
        redactor = Redactor()
        run: Run | None = None
        try:
            run = self._run_of(options, task_vars, redactor)
            with self.connection(options) as connection:
                run.execute(connection, options["objects"])
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {**(run.result_of_failure() if run else {}), **redactor.failure(error)}
        return run.result()

    def _run_of(self, options: dict[str, Any], task_vars: dict[str, Any] | None, redactor: Redactor) -> Run:
        transaction = transaction_of(options["transaction"], task_vars) if options["transaction"] else None
        prune = Owner(**options["prune"]) if options["prune"] else None
        if transaction and transaction.complete:
            prune = transaction.owner
        if options["state"] == "absent" and (prune or transaction):
            raise ApplyError(
                "state: absent deletes the listed objects. It cannot be combined with prune or transaction."
            )
        settings = Settings(
            state=options["state"],
            wait=options["wait"],
            wait_timeout=options["wait_timeout"],
            force_conflicts=options["force_conflicts"],
            adopt=options["adopt"],
            roll_on_secret_change=options["roll_on_secret_change"],
            minimum_kubernetes=options["minimum_kubernetes"],
            prune=prune,
            check_mode=self._task.check_mode,
            diff_mode=self._task.diff,
            say=self.say_for(task_vars, redactor),
        )
        if transaction is None:
            return Run(settings, redactor)
        return DeployRun(settings, redactor, transaction, drain_of(options["drain"]))
