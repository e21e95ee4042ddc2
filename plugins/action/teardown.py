# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.teardown on the control node; the work is done in plugin_utils."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import origin_of, owner_of
from ..plugin_utils.objects.errors import ApplyError
from ..plugin_utils.release.lock import LockSettings
from ..plugin_utils.release.teardown import Teardown, TeardownSettings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Removes a release."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned with what was deleted before it."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        settings = TeardownSettings(
            jobs=options["jobs"],
            jobs_timeout=options["jobs_timeout"],
            timeout=options["timeout"],
            issued_secrets=options["issued_secrets"],
            history=options["history"],
            origin=origin_of(options, task_vars),
            lock=LockSettings(options["lock_duration"], options["lock_timeout"]),
            check_mode=self._task.check_mode,
            say=self.say_for(task_vars, Redactor()),
        )
        with self.connection(options) as connection:
            teardown = Teardown(connection, owner_of(options), settings)
            try:
                teardown.execute()
            except ApplyError as error:
                return {**teardown.result(), "failed": True, "msg": str(error)}
            return {**teardown.result(), "api_server": connection.host}
