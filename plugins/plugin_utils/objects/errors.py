# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in the apply engine, as the user is told it."""

from collections.abc import Sequence
from typing import Any


class ApplyError(Exception):
    """A failure with a message for the user: what is wrong, where, what is allowed, what to do."""


class ConnectionFailed(ApplyError):
    """The API server could not be reached, or refused who we are."""


class TimeIsUp(ConnectionFailed):
    """The time that a connection had is over, and nothing more is asked."""


class ApiError(ApplyError):
    """The API server answered a request with an error that no repetition cures.

    ``status`` is the HTTP code, ``reason`` and ``causes`` are those of the Status object it sent
    (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
    """

    def __init__(self, status: int, reason: str, message: str, causes: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.causes = list(causes)

    @property
    def field_conflicts(self) -> list[dict[str, Any]]:
        """The causes that say "another field manager owns this field"."""
        return [cause for cause in self.causes if cause.get("reason") == "FieldManagerConflict"]


def combined(errors: Sequence[Exception]) -> ApplyError:
    """Return the one error of *errors*, or one that carries the messages of all of them."""
    if len(errors) == 1 and isinstance(errors[0], ApplyError):
        return errors[0]
    return ApplyError("\n".join(str(error) for error in errors))
