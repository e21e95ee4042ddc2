# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of agentsmith.platform.support_bundle on the control node; the work is done in plugin_utils/reports."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.release import __version__ as ansible_version

from ..plugin_utils.actions.cluster_action import ClusterAction
from ..plugin_utils.actions.collection_version import collection_version
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.objects.normalisation import normalise_objects
from ..plugin_utils.objects.owner import Owner
from ..plugin_utils.reports.bundle_sections import Wanted
from ..plugin_utils.reports.report_file import write_private
from ..plugin_utils.reports.support_bundle import TIME_LIMIT, collect
from ..plugin_utils.secrets.redaction import Redactor
from ..plugin_utils.text.counted import counted
from ..plugin_utils.verification.target import Names

OPTIONS = documented_options(__name__, unquoted=["objects"])


class ActionModule(ClusterAction):
    """Writes all that is known about a release to an archive; changes nothing in the cluster."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task, in a preview too. A failure is returned rather than raised: it has to pass the redactor."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        directory = Path(options["dest"]).expanduser().absolute()
        if not directory.is_dir():
            raise AnsibleActionFail(
                f"dest is no directory: {directory}. Nothing was read. Create it, or name another one."
            )
        redactor = Redactor()
        try:
            content, manifest = self._collected(options, redactor)
        except Exception as error:  # noqa: BLE001  whatever went wrong may quote an object: it has to be masked
            return redactor.failure(error)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", (task_vars or {}).get("inventory_hostname", "localhost"))
        path = directory / f"agentsmith-support-{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz"
        try:
            write_private(path, content)
        except OSError as error:
            raise AnsibleActionFail(f"dest cannot be written: {error.strerror}: {directory}.") from None
        return {
            "changed": False,
            "path": str(path),
            "bytes": len(content),
            "manifest": manifest,
            "text": _text(path, manifest),
        }

    def _collected(self, options: dict[str, Any], redactor: Redactor) -> tuple[bytes, dict[str, Any]]:
        objects = normalise_objects(options["objects"])
        redactor.learn(objects)
        names = Names(
            options["namespace"], options["secret_name"], options["config_map_name"], options["service_account_name"]
        )
        wanted = Wanted(
            Owner(options["namespace"], options["instance"]),
            names,
            objects,
            options["app"],
            options["public_url"],
            options["public_ca_file"],
        )
        versions = {"collection": collection_version(), "ansible": ansible_version}
        with self.connection(options, TIME_LIMIT) as connection:
            return collect(connection, wanted, versions, options["rendering_fault"])


def _text(path: Path, manifest: dict[str, Any]) -> str:
    masked = sum(entry[count] for entry in manifest["files"] for count in entry if count.startswith("masked_"))
    lines = [
        f"The bundle is {path}, with {counted(len(manifest['files']), 'file')}. "
        f"{counted(masked, 'value was', 'values were')} masked in it.",
        "Look through it before you send it: nobody but you knows what else is confidential in your logs and names.",
    ]
    if manifest["not_read"]:
        lines += ["It lacks:", *(f"- {entry['what']}: {entry['why']}" for entry in manifest["not_read"])]
    return "\n".join(lines)
