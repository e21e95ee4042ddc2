# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a check, and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

OK = "ok"
# Something to know that nobody has asked to be otherwise.
WARNING = "warning"
FAILED = "failed"
NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Outcome:
    """`check` is its name, `result` one of the above, `evidence` what was seen, `hint` what to do about it."""

    check: str
    result: str
    evidence: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """For a module's result."""
        return asdict(self)


def judged(check: str, good: bool, evidence: str, hint: str) -> Outcome:
    """Return OK or FAILED; a good result needs no hint."""
    return Outcome(check, OK, evidence) if good else Outcome(check, FAILED, evidence, hint)


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return one line a check, aligned; evidence of several lines and a hint follow in lines of their own."""
    heading = ("CHECK", "RESULT", "EVIDENCE")
    first = max(len(text) for text in (heading[0], *(outcome.check for outcome in outcomes)))
    second = max(len(text) for text in (heading[1], *(outcome.result for outcome in outcomes)))
    indent = " " * (first + second + 4)
    lines = [f"{heading[0]:<{first}}  {heading[1]:<{second}}  {heading[2]}"]
    for outcome in outcomes:
        evidence = outcome.evidence.splitlines() or [""]
        lines.append(f"{outcome.check:<{first}}  {outcome.result:<{second}}  {evidence[0]}".rstrip())
        lines += [f"{indent}{line}".rstrip() for line in evidence[1:]]
        if outcome.hint:
            lines.append(f"{indent}-> {outcome.hint}")
    return lines


def one_line(text: str, longest: int | None = None) -> str:
    """Return what somebody else has written as a terminal may show it: one line, without control characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"
