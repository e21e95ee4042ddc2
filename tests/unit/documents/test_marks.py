# SPDX-License-Identifier: GPL-3.0-or-later
"""What users see in Slack is marked, sentence by sentence: **seen** on the running app, or *read* in its source.

In docs/how-to/chat.md each row of a table has its mark in the last cell, and each sentence outside a table its own.
Only sentences that tell the reader what to do need none. docs/how-to/slack.md has such a table, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOW_TO = Path(__file__).parents[3] / "docs/how-to"
CHAT = (HOW_TO / "chat.md").read_text(encoding="utf-8")
SLACK = (HOW_TO / "slack.md").read_text(encoding="utf-8")

MARK = re.compile(r"\*\*seen\*\*|\*read\*")
INSTRUCTION = re.compile(r"(Ask|Look|Name|Never send|Report|Review|Run|Tell|Use|Write)\b")


def unmarked(page: str) -> list[str]:
    """The rows and sentences below the first heading of second order that have no mark and are no instruction."""
    found = []
    body = "## " + page.split("\n## ", 1)[1]
    for block in re.split(r"\n\s*\n|\n(?=[-#|] ?)", body):
        if block.startswith("#"):
            continue
        if block.startswith("|"):
            last = re.split(r"(?<!\\)\|", block.strip())[-2]
            if not MARK.search(last) and not re.fullmatch(r"[|\s-]+", block) and not is_heading_row(body, block):
                found.append(block)
            continue
        found += [sentence for sentence in sentences(block) if not MARK.search(sentence)]
    return found


def is_heading_row(body: str, row: str) -> bool:
    """Whether the row of dashes follows."""
    return re.match(r"\|[-|\s]+\|", body.split(row, 1)[1].lstrip("\n")) is not None


def sentences(block: str) -> list[str]:
    """The sentences of a paragraph that state something. What stands in code has no full stop of its own."""
    text = re.sub(r"`[^`]*`", lambda code: code[0].replace(".", "·").replace(":", "·"), " ".join(block.split()))
    text = re.sub(r"^[-*] ", "", text)
    return [part for part in re.split(r"(?<=[.!?:])\)? +(?=[A-Z`(*])", text) if not INSTRUCTION.match(part.lstrip("*"))]


def test_each_sentence_about_slack_is_marked() -> None:
    assert unmarked(CHAT) == []


def test_the_operators_page_marks_what_they_see() -> None:
    assert unmarked("\n## What they see" + SLACK.split("| What you see |", 1)[1].split("\n## ", 1)[0]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| **seen** |", "| |"),
        ("| *read* |", "| sometimes |"),
        ("One message is one request (**seen**)", "One message is one request"),
        ("The help text says that free text works (**seen**)", "The help text says that free text works"),
        ("approves it by itself (*read*)", "approves it by itself (surely)"),
        ("\n## Where to write\n", "\n## Where to write\n\nThe bot reads your thoughts.\n"),
    ],
)
def test_a_lost_mark_is_noticed(old: str, new: str) -> None:
    changed = CHAT.replace(old, new, 1)
    assert changed != CHAT
    assert len(unmarked(changed)) == 1
