# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.restore_release on the control node; the documentation is in plugins/modules."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import drain_of, transaction_of
from ..plugin_utils.release.restore import Failure, RestoreRun
from ..plugin_utils.release.run import Settings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Brings a recorded release back."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        redactor = Redactor()
        run: RestoreRun | None = None
        try:
            transaction = transaction_of(options["transaction"], task_vars)
            settings = Settings(
                prune=transaction.owner,
                wait_timeout=options["wait_timeout"],
                check_mode=self._task.check_mode,
                diff_mode=self._task.diff,
                say=self.say_for(task_vars, redactor),
            )
            drain = drain_of(options["drain"])
            failure = Failure(options["applied"], options["cause"])
            run = RestoreRun(
                settings,
                redactor,
                transaction,
                options["generation"],
                options["holder"],
                drain,
                failure,
                options["revision"],
            )
            with self.connection(options) as connection:
                run.execute(connection, [])
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {**(run.result_of_failure() if run else {}), **redactor.failure(error)}
        return run.result()
