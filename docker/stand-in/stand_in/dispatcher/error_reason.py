# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason that people are shown for a job's error message."""

from __future__ import annotations

import re

LONGEST_REASON = 120
_REASONS = (
    (re.compile("TF401179"), "A pull request for this branch already exists."),
    (re.compile("non-fastforwardable"), "The remote branch has conflicting history. Try again."),
    (
        re.compile("could not connect|connection refused", re.IGNORECASE),
        "Could not reach a required service. Check network connectivity.",
    ),
    (re.compile("401|unauthorized|authentication", re.IGNORECASE), "Authentication failed. Check your API tokens."),
    (re.compile("403|forbidden", re.IGNORECASE), "Permission denied. Check token scopes."),
    (re.compile("rate limit|429|529", re.IGNORECASE), "AI provider rate limit hit. Wait a moment and retry."),
    (
        re.compile("not found|404", re.IGNORECASE),
        "A required resource was not found. Check ticket number and project name.",
    ),
    (re.compile("timeout|timed out", re.IGNORECASE), "The operation timed out. The service may be slow — try again."),
    (
        re.compile("no test framework detected", re.IGNORECASE),
        "No test framework found in the repository. Tests were skipped.",
    ),
)


def reason_of(message: str) -> str:
    """Return the sentence for the first pattern that a message has, or the beginning of its first line."""
    for pattern, reason in _REASONS:
        if pattern.search(message):
            return reason
    line = message.split("\n")[0].strip()
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + "..."
