# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.rotate_secret on the control node; the work is done in plugin_utils/release/rotation."""

from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.actions.transaction_options import drain_of, transaction_of
from ..plugin_utils.objects.identity import Identity
from ..plugin_utils.objects.normalisation import normalise_objects
from ..plugin_utils.release.rotation import RotationRun, refuse
from ..plugin_utils.release.rotation_rules import Rotation
from ..plugin_utils.release.run import Settings
from ..plugin_utils.secrets.redaction import Redactor

OPTIONS = documented_options(__name__, unquoted=["objects"])


class ActionModule(ClusterAction):
    """Changes named keys of a Secret and rolls the workloads that read them."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS, required_by={"drain": ("transaction",)})
        redactor = Redactor()
        settings = Settings(
            check_mode=self._task.check_mode,
            diff_mode=self._task.diff,
            wait=options["wait"],
            wait_timeout=options["wait_timeout"],
            say=self.say_for(task_vars, redactor),
        )
        run = None
        try:
            transaction = transaction_of(options["transaction"], task_vars) if options["transaction"] else None
            run = RotationRun(settings, redactor, transaction, drain_of(options["drain"]))
            bodies = normalise_objects(options["objects"])
            redactor.learn(bodies)
            secret = Identity("v1", "Secret", options["namespace"], options["secret"])
            rotation = Rotation(bodies, secret, options["keys"])
            refuse(rotation.input_faults())
            with self.connection(options) as connection:
                run.execute(connection, rotation)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return {**(run.result_of_failure() if run else {"changed": False}), **redactor.failure(error)}
        result = run.result()
        return {
            **result,
            "report": rotation.report(result["objects"], settings.check_mode),
            "rolled": rotation.rolled(result["objects"]),
        }
