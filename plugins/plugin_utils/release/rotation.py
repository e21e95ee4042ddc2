# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation: the preview that may refuse it, the writes, and the way back if the rotated pods do not start."""

from dataclasses import replace
from typing import Any

from ..api.connection import Connection
from ..objects.errors import ApplyError
from ..secrets.redaction import Redactor
from .commit import CommitRun
from .deploy import DeployRun, Transaction
from .drain import Drain
from .history import ROTATION
from .record import CURRENT
from .restore import Failure, RestoreRun
from .rotation_rules import Rotation
from .run import Run, Settings

_OLD_VALUES_UNKNOWN = (
    "Another tool manages the Secret, so its old values are not known here. Restore them at their source, and deploy."
)


class RotationRun:
    """Changes named keys of a Secret and rolls the workloads that read them.

    With a transaction, a rotation that fails is undone. Without one, what it has written stays.
    """

    def __init__(
        self, settings: Settings, redactor: Redactor, transaction: Transaction | None, drain: Drain | None
    ) -> None:
        self._settings, self._redactor, self._drain = settings, redactor, drain
        # Whatever the inventory has besides is not rotated, and so not recorded either
        self._transaction = replace(transaction, complete=False) if transaction else None
        self._run = self._preview = self._new_run(Settings(check_mode=True, diff_mode=settings.diff_mode))
        self._ends: list[Run] = []

    def execute(self, connection: Connection, rotation: Rotation) -> None:
        """Look what the rotation would do, and do it if that changes nothing else.

        :raises ApplyError: when it is refused, or failed; then the message says what became of it.
        """
        if rotation.may_remove_redis_users:
            path = f"/api/v1/namespaces/{rotation.redis_users.namespace}/secrets/{rotation.redis_users.name}"
            refuse(rotation.live_faults(connection.find(path)))
        self._preview.execute(connection, rotation.objects)
        refuse(rotation.preview_faults(self._preview.result()["objects"]))
        if self._settings.check_mode:
            return
        self._run = run = self._new_run(self._settings)
        try:
            run.execute(connection, rotation.objects)
        except Exception as error:
            if not isinstance(run, DeployRun) or not run.started:
                raise
            raise ApplyError(f"{error}\n\n{self._undone(connection, rotation, run, error)}") from None
        if isinstance(run, DeployRun) and run.holder and self._transaction:
            settings, applied = self._settings_of_end(), run.result()["objects"]
            commit = CommitRun(settings, self._redactor, self._transaction, run.holder, applied, ROTATION)
            self._ends.append(commit)
            commit.execute(connection, rotation.objects)

    def result(self) -> dict[str, Any]:
        """Return what the run returns, with the warnings of those that ended it."""
        return self._with_ends(self._run.result())

    def result_of_failure(self) -> dict[str, Any]:
        """Return what was written before the run failed: nothing, if it did not come further than the preview."""
        return {"changed": False} if self._run is self._preview else self._with_ends(self._run.result_of_failure())

    def _with_ends(self, result: dict[str, Any]) -> dict[str, Any]:
        ends = [end.result() for end in self._ends]
        warnings = [text for each in [result, *ends] for text in each.get("warnings", [])]
        entries = [end["entry"] for end in ends if end["entry"]]
        result["entry"] = entries[-1] if entries else None
        return {**result, "warnings": warnings} if warnings else result

    def _new_run(self, settings: Settings) -> Run:
        if self._transaction:
            return DeployRun(settings, self._redactor, self._transaction, self._drain)
        return Run(settings, self._redactor)

    def _settings_of_end(self) -> Settings:
        return replace(self._settings, diff_mode=False)

    def _undone(self, connection: Connection, rotation: Rotation, run: DeployRun, error: Exception) -> str:
        """Undo a rotation that has failed; say what became of it, a failure included."""
        if not self._transaction:
            return _OLD_VALUES_UNKNOWN
        # What cannot be undone is told in the history
        keep = self._transaction.keep or not rotation.brings_the_secret
        undo = RestoreRun(
            self._settings_of_end(),
            self._redactor,
            replace(self._transaction, keep=keep),
            CURRENT,
            run.holder,
            failure=Failure(run.result()["objects"], str(error), ROTATION),
        )
        self._ends.append(undo)
        try:
            undo.execute(connection, [])  # it has made no object, so there is none to prune
            summary = undo.summary
        except ApplyError as failure:
            summary = str(failure)
        return summary if rotation.brings_the_secret else _OLD_VALUES_UNKNOWN


def refuse(faults: list[str]) -> None:
    """Stop before anything is written.

    :raises ApplyError: with all faults.
    """
    if faults:
        raise ApplyError("\n".join([*faults, "Nothing was changed."]))
