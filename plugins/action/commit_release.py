# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.commit_release on the control node; the documentation is in plugins/modules."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import transaction_of
from ..plugin_utils.release.commit import CommitRun
from ..plugin_utils.release.run import Settings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__, unquoted=["objects"])


class ActionModule(ClusterAction):
    """Ends a deploy that went well."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        redactor = Redactor()
        run: CommitRun | None = None
        try:
            transaction = transaction_of(options["transaction"], task_vars)
            settings = Settings(
                prune=transaction.owner if transaction.complete else None,
                wait_timeout=options["wait_timeout"],
                check_mode=self._task.check_mode,
                diff_mode=self._task.diff,
            )
            run = CommitRun(settings, redactor, transaction, options["holder"], options["applied"])
            with self.connection(options) as connection:
                run.execute(connection, options["objects"])
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {**(run.result_of_failure() if run else {}), **redactor.failure(error)}
        return run.result()
