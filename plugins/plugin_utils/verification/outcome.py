# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a check, and the table of all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..text.text_table import aligned

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


def worst(found: Sequence[Outcome]) -> Outcome:
    """Return one outcome for several pods: the first that failed, else one that was not checked, else the first."""
    return min(found, key=lambda outcome: (outcome.result != FAILED, outcome.result != NOT_CHECKED))


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return one line a check, aligned; evidence of several lines and a hint follow in lines of their own."""
    evidence = [outcome.evidence.splitlines() or [""] for outcome in outcomes]
    rows = [["CHECK", "RESULT", "EVIDENCE"]]
    rows += [
        [outcome.check, outcome.result, first] for outcome, (first, *_more) in zip(outcomes, evidence, strict=True)
    ]
    heading, *aligned_rows = aligned(rows)
    indent = " " * heading.index("EVIDENCE")
    lines = [heading]
    for outcome, row, (_first, *more) in zip(outcomes, aligned_rows, evidence, strict=True):
        lines += [row, *(f"{indent}{line}".rstrip() for line in more)]
        if outcome.hint:
            lines.append(f"{indent}-> {outcome.hint}")
    return lines
