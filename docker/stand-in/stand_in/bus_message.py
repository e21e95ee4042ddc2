# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dispatcher and agent say to each other: one entry of a Redis stream each, with the app's nine fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The field `type`. The Dispatcher sends the last, the agent all others."""

    PROGRESS = "Progress"
    DETAIL = "Detail"
    QUESTION = "Question"
    DONE = "Done"
    ERROR = "Error"
    ANSWER = "Answer"


@dataclass(frozen=True)
class BusMessage:
    """A message about one job. `step` counts from 1; what a kind of message does not use is empty."""

    kind: Kind
    job_id: str
    text: str = ""
    step: int | None = None
    total: int | None = None
    question_id: str = ""
    pr_url: str = ""
    summary: str = ""
    content: str = ""

    @property
    def ends_the_job(self) -> bool:
        """Whether nothing follows."""
        return self.kind in (Kind.DONE, Kind.ERROR)

    def fields(self) -> dict[str, str]:
        """Return the fields of the stream entry: all of them, always, as texts."""
        return {
            "type": str(self.kind),
            "jobId": self.job_id,
            "text": self.text,
            "step": "" if self.step is None else str(self.step),
            "total": "" if self.total is None else str(self.total),
            "questionId": self.question_id,
            "prUrl": self.pr_url,
            "summary": self.summary,
            "content": self.content,
        }

    @classmethod
    def from_fields(cls, job_id: str, fields: Mapping[str, str]) -> BusMessage | None:
        """Read an entry of a job's stream, or return None for one that the app skips too."""
        try:
            kind = Kind(fields.get("type", ""))
        except ValueError:
            return None
        if kind == Kind.DETAIL:
            return None
        return cls(
            kind,
            job_id,
            text=fields.get("text", ""),
            step=_number(fields.get("step", "")),
            total=_number(fields.get("total", "")),
            question_id=fields.get("questionId", ""),
            pr_url=fields.get("prUrl", ""),
            summary=fields.get("summary", ""),
            content=fields.get("content", ""),
        )


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0
