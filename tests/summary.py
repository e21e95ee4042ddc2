# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up the JUnit reports of a test run and closes it with one line: `N passed, N failed, N skipped`."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(directory: str) -> int:
    """Print the sum over `directory`/*.xml. Returns 1 where a test failed or none ran."""
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for report in sorted(Path(directory).glob("*.xml")):
        suites = ElementTree.parse(report).iter("testsuite")  # noqa: S314 - the reports are our own
        counts = dict.fromkeys(total, 0)
        for suite in suites:
            for name in counts:
                counts[name] += int(suite.get(name, 0))
        print(f"{report.stem}: {counts['tests']} tests")
        for name in total:
            total[name] += counts[name]
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    print(f"{passed} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
