# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the action plugins that talk to a cluster.

The client library is imported with this file, once in the process that starts the workers, instead of once a task.
The connection itself is made by each task: a socket must not be shared between workers.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail

from ..api.connection import Connection
from ..api.wait_report import Say
from ..objects.errors import ApplyError
from ..secrets.redaction import Redactor
from .control_node_action import ControlNodeAction
from .requirements import missing_requirement


class ClusterAction(ControlNodeAction):
    """An action with a connection to the cluster that the options of the group C(cluster) name."""

    ALWAYS_CONNECTS = True
    """Whether each task talks to the cluster. If not, a package that is missing is found where one does."""

    def checked_options(
        self, tmp: str | None, task_vars: dict[str, Any] | None, argument_spec: dict[str, Any], **rules: Any
    ) -> dict[str, Any]:
        """As in the base.

        :raises AnsibleActionFail: and if a package is missing
        """
        if self.ALWAYS_CONNECTS and (missing := missing_requirement()):
            raise AnsibleActionFail(missing)
        # What the worker has inherited stays to its end: the collector need not walk over it (Python: gc.freeze)
        gc.freeze()
        self._target = (task_vars or {}).get("inventory_hostname", "localhost")
        return super().checked_options(tmp, task_vars, argument_spec, **rules)

    def say_for(self, task_vars: dict[str, Any] | None, redactor: Redactor) -> Say:
        """What shows a line while the task runs, masked, with the target's name.

        Beside the output, as programs read that.
        """
        target = (task_vars or {}).get("inventory_hostname", "localhost")
        return lambda text: self._display.display(redactor.text(f"{target}: {text}"), stderr=True)

    def connection(self, options: dict[str, Any], time_limit: float | None = None) -> Connection:
        """A connection to use in a C(with) statement.

        :param time_limit: seconds after which it ends; None: no limit.

        :raises ApplyError: when a package is missing

        A task that is told as whom an earlier one has locked the release goes on with what that one has begun: it
        outlives an outage as long as in the midst of its work.
        """
        if missing := missing_requirement():
            raise ApplyError(missing)
        return Connection(
            options,
            scratch_directory=constants.DEFAULT_LOCAL_TMP,
            in_contact=bool(options.get("holder")),
            say=lambda text: self._display.display(f"{self._target}: {text}", stderr=True),
            time_limit=time_limit,
        )

    @contextmanager
    def connected(self, options: dict[str, Any]) -> Iterator[Connection]:
        """A connection for a task whose messages quote no object, so that nothing in them has to be masked.

        :raises AnsibleActionFail: when something that is done with it fails, with the message of that
        """
        try:
            with self.connection(options) as connection:
                yield connection
        except ApplyError as error:
            raise AnsibleActionFail(str(error)) from None
