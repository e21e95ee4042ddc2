# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message of the bot means for a conversation: the end of the work, good or bad, or one step of it.

The words are those of the app at 79b52441, be4bffa1 and 0.9.2. All of them are matched from the beginning of a text: a
question or a project may quote any of them.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

_EMOJI = r"(?::[a-z_]+: *)?"
_DONE = re.compile(rf"{_EMOJI}\*Done!\*")
_FAILED = re.compile(
    r":x:|:hourglass:"
    rf"|{_EMOJI}\*?Agent Smith (?:failed|encountered an error)"
    rf"|{_EMOJI}(?:There is already a job|A job is already) running"
    rf"|{_EMOJI}Job `[^`]*` appears to have crashed"
)
# Not understood, help, a greeting, "Did you mean …?": the app has answered, and will spawn no Job for it.
_ANSWERED = re.compile(r":(?:shrug|question|robot_face|wave|thinking_face):")
_UNDER_WAY = re.compile(rf"{_EMOJI}(?:Starting |\*?\[\d+/\d+\]|\*Question:)")


class Meaning(Enum):
    """Of one version of one message."""

    DONE = "the work has ended well"
    FAILED = "the work has ended badly, or will not begin"
    UNDER_WAY = "more will follow"
    UNKNOWN = "anything else"


def meaning_of(message: Mapping[str, Any]) -> Meaning:
    """Tell what a message of the bot means. A reply in a thread is a detail of the step that it hangs on."""
    if message.get("thread_ts") not in (None, message["ts"]):
        return Meaning.UNDER_WAY
    texts = [text.strip() for text in (_text(message.get("text")), _text_of_blocks(message))]
    for pattern, meaning in (
        (_DONE, Meaning.DONE),
        (_FAILED, Meaning.FAILED),
        (_ANSWERED, Meaning.FAILED),
        (_UNDER_WAY, Meaning.UNDER_WAY),
    ):
        if any(pattern.match(text) for text in texts):
            return meaning
    return Meaning.UNKNOWN


def words_of(message: Mapping[str, Any]) -> str:
    """Return what a person reads. Slack shows the blocks where there are some; the app has the reason in them only."""
    return _text_of_blocks(message) or _text(message.get("text"))


def _text_of_blocks(message: Mapping[str, Any]) -> str:
    """Return the texts of all sections; those of buttons are none."""
    blocks = _mappings(message.get("blocks"))
    entries = [entry for block in blocks for entry in _mappings([block.get("text"), *_list(block.get("fields"))])]
    return "\n".join(text for entry in entries if (text := _text(entry.get("text"))))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, Mapping)]
