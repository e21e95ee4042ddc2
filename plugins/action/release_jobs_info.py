# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.release_jobs_info on the control node; the work is done in plugin_utils."""

from dataclasses import asdict, replace
from typing import Any

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.objects.owner import Owner
from ..plugin_utils.pods.spawned_jobs import secrets_of_job
from ..plugin_utils.reports.jobs import JobsReport, read_jobs_report
from ..plugin_utils.reports.known_secrets import read_secrets
from ..plugin_utils.reports.mask import Mask
from ..plugin_utils.secrets.redaction import Redactor
from ..plugin_utils.verification.target import Names, Target

OPTIONS = documented_options(__name__)


class ActionModule(ClusterAction):
    """Tells of the Jobs, and why one failed; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task. A failure is returned rather than raised: every text has to pass the redactor first."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        redactor = Redactor()
        try:
            with self.connection(options) as connection:
                target = Target(connection, Names(options["namespace"]), [])
                names = {name for job in target.read_jobs() for name in secrets_of_job(job)}
                known = read_secrets(connection, Owner(options["namespace"], options["instance"]), names)
                known.teach(redactor)
                report = read_jobs_report(target)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote a log: it has to be masked
            return redactor.failure(error)
        unmasked = [
            f"{what}, so its values are masked only by their form ({why})" for what, why in known.not_read.items()
        ]
        # Masked first: a text that is laid out for people may have only part of a value
        masked: JobsReport = Mask(redactor).of(replace(report, not_read=[*report.not_read, *unmasked]))
        return {"changed": False, "jobs": asdict(masked), "text": masked.as_text()}
