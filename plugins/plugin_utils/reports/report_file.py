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
# Control characters that XML cannot contain in any form (https://www.w3.org/TR/xml/#charsets)
_NO_XML = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def report_of(name: str, result: Mapping[str, Any]) -> Any:
    """Return the report in a task's result; None if the task failed before it had one."""
    keys = _KEYS[name]
    if any(key not in result for key in keys):
        return None
    return result[keys[0]] if len(keys) == 1 else {key: result[key] for key in keys}


def json_text(reports: Mapping[str, Any]) -> str:
    """Return the reports by host as JSON."""
    return json.dumps(reports, indent=4, ensure_ascii=False, sort_keys=True) + "\n"


def junit_text(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the reports of verify as JUnit XML: a suite a host, a case a check.

    A check that could not be made is a skipped case. A warning is a passed one, with its text as output.
    """
    suites = xml.Element("testsuites", name="verify")
    for host, report in reports.items():
        checks = report["checks"]
        counts = {"tests": len(checks), "failures": len(report["failed_checks"]), "skipped": len(report["not_checked"])}
        suite = xml.SubElement(
            suites, "testsuite", {"name": host, **{key: str(count) for key, count in counts.items()}}
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
