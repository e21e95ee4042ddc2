# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real build of be4bffa1 with both casts is known to do otherwise than these tests say.

Where such a build runs, every test of this list has to fail. One that passes is another build, or a wrong line.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal


@dataclass(frozen=True)
class KnownDifference:
    """`test` is a pattern of test ids, as in `test_file.py::test_name*`; `part` is the one that has to be real."""

    test: str
    part: Literal["dispatcher", "agent"]
    reason: str

    def is_about(self, test_id: str) -> bool:
        """Whether a test, as in `test_file.py::test_name[parameters]`, is meant."""
        # A bracket in a pattern would be a set of characters.
        return fnmatchcase(test_id, self.test.replace("[", "[[]"))


KNOWN_DIFFERENCES = (
    KnownDifference(
        "test_conversation.py::test_the_password_of_a_url_is_not_shown",
        "dispatcher",
        "With abortConnect=false the app shows the password of a redis:// URL, in Slack and in its log.",
    ),
)
