# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a stream entry."""

from __future__ import annotations

import pytest
from stand_in.bus_message import BusMessage, Kind

FIELDS = ["type", "jobId", "text", "step", "total", "questionId", "prUrl", "summary", "content"]


@pytest.mark.parametrize(
    "message",
    [
        BusMessage(Kind.PROGRESS, "j", text="Fetching ticket", step=1, total=9),
        BusMessage(Kind.DONE, "j", text="s", summary="s", pr_url="https://example.com/1"),
        BusMessage(Kind.ANSWER, "j", question_id="q", content="yes"),
    ],
)
def test_all_fields_are_there_as_texts(message: BusMessage) -> None:
    fields = message.fields()
    assert list(fields) == FIELDS
    assert all(isinstance(value, str) for value in fields.values())
    assert BusMessage.from_fields("j", fields).fields() == fields | {
        name: fields[name] or "0" for name in ("step", "total")
    }


def test_the_job_is_that_of_the_stream() -> None:
    assert BusMessage.from_fields("mine", {"type": "Done", "jobId": "other"}).job_id == "mine"


@pytest.mark.parametrize("kind", ["", "done", "Other", "Detail"])
def test_unknown_entries_are_skipped(kind: str) -> None:
    assert BusMessage.from_fields("j", {"type": kind}) is None
    assert BusMessage.from_fields("j", {}) is None


def test_only_done_and_error_end_a_job() -> None:
    assert [kind for kind in Kind if BusMessage(kind, "j").ends_the_job] == [Kind.DONE, Kind.ERROR]
