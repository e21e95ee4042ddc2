# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up the JUnit reports of a test run, repeats what failed, and closes with `N passed, N failed, N skipped`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

LINES_OF_A_FAILURE = 15


def failures(suite: ElementTree.Element) -> Iterator[str]:
    """Yield each failed test's name and up to 15 lines of what pytest explains of it: those that begin with E."""
    for case in suite.iter("testcase"):
        for failure in (*case.iter("failure"), *case.iter("error")):
            lines = (failure.text or failure.get("message", "")).splitlines()
            explained = [line for line in lines if line.startswith("E ")] or lines
            yield "\n".join((f"{case.get('classname')}::{case.get('name')}", *explained[:LINES_OF_A_FAILURE]))


def main(directory: str) -> int:
    """Print the sum over `directory`/*.xml. Returns 1 where a test failed or none ran."""
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    failed_tests = []
    for report in sorted(Path(directory).glob("*.xml")):
        counts = dict.fromkeys(total, 0)
        seconds = 0.0
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - the reports are our own
            for name in counts:
                counts[name] += int(suite.get(name, 0))
            seconds += float(suite.get("time", 0))
            failed_tests += [f"FAILED in {report.stem}: {failure}" for failure in failures(suite)]
        print(f"{report.stem}: {counts['tests']} tests in {seconds:.0f} s")
        for name in total:
            total[name] += counts[name]
    # The whole output is long, and what is left of it somewhere may be its end only
    print("\n".join(failed_tests), end="\n" if failed_tests else "")
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    print(f"{passed} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
