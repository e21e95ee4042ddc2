# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of playbooks as files for programs: JSON with one key a host, and the checks of verify as JUnit XML."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

from ..verification.outcome import FAILED, NOT_CHECKED, OK

# What of a task's result is the report, by its name
_KEYS: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "drift": ("drift",),
    "history": ("history",),
    "jobs": ("jobs",),
    "verify": ("checks", "failed_checks", "not_checked"),
}
REPORTS = tuple(_KEYS)
ERROR = "error"  # what a host that could not be asked has instead of a report
# Control characters that XML cannot contain in any form (https://www.w3.org/TR/xml/#charsets)
_NO_XML = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def report_of(name: str, result: Mapping[str, Any]) -> Any:
    """Return the report in a task's result; if the task failed before it had one, why. None if it does not say."""
    keys = _KEYS[name]
    if any(key not in result for key in keys):
        return {ERROR: str(result["msg"])} if result.get("msg") else None
    return result[keys[0]] if len(keys) == 1 else {key: result[key] for key in keys}


def json_text(reports: Mapping[str, Any]) -> str:
    """Return the reports by host as JSON."""
    return json.dumps(reports, indent=4, ensure_ascii=False, sort_keys=True) + "\n"


def junit_text(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the reports of verify as JUnit XML: a suite a host, a case a check.

    A check that could not be made is a skipped case. A warning is a passed one, with its text as output. A host that
    could not be asked has one case, with an error.
    """
    suites = xml.Element("testsuites", name="verify")
    for host, report in reports.items():
        if ERROR in report:
            _add_error(suites, host, report[ERROR])
            continue
        checks = report["checks"]
        suite = _add_suite(
            suites,
            host,
            tests=len(checks),
            failures=len(report["failed_checks"]),
            errors=0,
            skipped=len(report["not_checked"]),
        )
        for check in checks:
            case = xml.SubElement(suite, "testcase", classname=host, name=check["check"])
            text = "\n".join(part for part in (check["evidence"], check["hint"]) if part).translate(_NO_XML)
            if check["result"] == FAILED:
                xml.SubElement(case, "failure", message=text.partition("\n")[0]).text = text
            elif check["result"] == NOT_CHECKED:
                xml.SubElement(case, "skipped", message=text)
            elif check["result"] != OK:
                xml.SubElement(case, "system-out").text = f"{check['result']}: {text}"
    xml.indent(suites)
    return xml.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_suite(suites: xml.Element, host: str, **counts: int) -> xml.Element:
    return xml.SubElement(suites, "testsuite", {"name": host, **{key: str(count) for key, count in counts.items()}})


def _add_error(suites: xml.Element, host: str, text: str) -> None:
    suite = _add_suite(suites, host, tests=1, failures=0, errors=1, skipped=0)
    case = xml.SubElement(suite, "testcase", classname=host, name="verify")
    told = text.translate(_NO_XML)
    xml.SubElement(case, "error", message=told.partition("\n")[0]).text = told


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all: hosts may do so at the same time.

    :raises OSError: when it cannot be written.
    """
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
