# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanners of rendered manifests: checkov, kube-score, and Kubernetes' own schemas by kubernetes-validate."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from findings import Finding

TOOLS = Path(sys.executable).parent
VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
CRITICAL = 1  # kube-score's lowest grade; 10 is its best

# kubernetes-validate would read all definitions of a version again for each object: most of its time
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def files(directory: Path) -> list[Path]:
    """The manifests below `directory`, Secrets too; write_manifests keeps those in a directory of their own."""
    return sorted(directory.rglob("*.yaml"))


def checkov(scope: str, directory: Path) -> tuple[set[Finding], int]:
    """Return what fails, and how many checks were made."""
    answer = subprocess.run(
        # --skip-download: it asks a server for guidelines and policies otherwise
        [TOOLS / "checkov", "--directory", directory, "--framework", "kubernetes", "--skip-download"]
        + ["--quiet", "--compact", "--soft-fail", "--output", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(answer.stdout)
    assert not report["summary"]["parsing_errors"], report["results"]["parsing_errors"]
    failed = {
        Finding("checkov", scope, check["check_id"], _checkov_object(check["resource"]))
        for check in report["results"]["failed_checks"]
    }
    # Not len(failed): two targets of an environment have objects of the same name
    return failed, report["summary"]["passed"] + report["summary"]["failed"]


def _checkov_object(resource: str) -> str:
    """`Deployment.<namespace>.<name>`, and of the pod in it `Pod.<namespace>.<name>.<label>-<value>…`."""
    kind, _namespace, name = resource.split(".", 2)
    return f"{kind}/{name.partition('.')[0] if kind == 'Pod' else name}"


def kube_score(scope: str, directory: Path) -> tuple[set[Finding], int]:
    """Return what is critical, and how many checks were made."""
    answer = subprocess.run(
        [TOOLS / "kube-score", "score", "--kubernetes-version", f"v{VERSIONS[0]}", "--output-format", "json"]
        + [str(file) for file in files(directory)],
        capture_output=True,
        text=True,
    )
    # 1 is its verdict, not a failure of the program
    assert answer.returncode in (0, 1) and answer.stdout, answer.stderr
    checks = [
        (f"{scored['type_meta']['kind']}/{scored['object_meta']['name']}", check)
        for scored in json.loads(answer.stdout)
        for check in scored["checks"]
        if not check["skipped"]
    ]
    assert checks, "kube-score checked nothing"
    critical = {
        Finding("kube-score", scope, check["check"]["id"], name) for name, check in checks if check["grade"] == CRITICAL
    }
    return critical, len(checks)


def schemas(scope: str, directory: Path) -> tuple[set[Finding], int]:
    """Validate each object for each version of Kubernetes, strictly (no unknown field).

    Returns the faults, and how many objects were validated how often. A kind that a version does not know is a fault of
    its own: `needs 1.36`, `gone in 1.34`, or `no schema` where no version knows it (a custom resource).
    """
    objects = [item for file in files(directory) for item in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    faults: set[Finding] = set()
    checked = 0
    for item in objects:
        known = []
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                continue
            except kubernetes_validate.ValidationError as fault:
                path = ".".join(str(step) for step in fault.path)
                name = f"{item['kind']}/{item['metadata']['name']}"
                faults.add(Finding("kubernetes-validate", scope, f"{version} {path}", name))
            known.append(version)
        checked += len(known)
        if len(known) < len(VERSIONS):
            faults.add(Finding("kubernetes-validate", scope, _lack(known), f"{item['apiVersion']} {item['kind']}"))
    return faults, checked


def _lack(known: list[str]) -> str:
    if not known:
        return "no schema"
    if known[-1] != VERSIONS[-1]:
        return f"gone in {VERSIONS[VERSIONS.index(known[-1]) + 1]}"
    return f"needs {known[0]}"
