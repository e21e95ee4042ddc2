# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent scanners on what would be applied, and on the repository. What may fail is in exceptions.yml."""

from __future__ import annotations

from pathlib import Path

import manifests
import pytest
import repository
from conftest import CHECKOUT, ENVIRONMENTS

environment = pytest.mark.parametrize("environment", ENVIRONMENTS)


@environment
def test_checkov(environment, rendered, verdict):
    found, checks = manifests.checkov(environment, rendered(environment))
    verdict("checkov", environment, found, f"{checks} checks")


@environment
def test_kube_score(environment, rendered, verdict):
    found, checks = manifests.kube_score(environment, rendered(environment))
    verdict("kube-score", environment, found, f"{checks} checks")


@environment
def test_schemas(environment, rendered, verdict):
    """A kind that some version does not know is an exception, and says which version a deployment of it needs."""
    found, checked = manifests.schemas(environment, rendered(environment))
    assert checked, "no object was validated"
    verdict("kubernetes-validate", environment, found, f"{checked} objects x versions")


@environment
def test_no_secret_in_manifests(environment, rendered, skips, verdict):
    directory = rendered(environment)
    names = [file.relative_to(directory) for file in directory.rglob("*") if file.is_file()]
    found, count = repository.secrets(environment, directory, names, skips)
    verdict("detect-secrets", environment, found, f"{count} files")


def test_no_secret_in_the_repository(skips, verdict):
    found, count = repository.secrets("repository", CHECKOUT, repository.tracked(CHECKOUT), skips)
    verdict("detect-secrets", "repository", found, f"{count} files")


def test_dockerfiles(verdict):
    dockerfiles = [name for name in repository.tracked(CHECKOUT) if name.name == "Dockerfile"]
    found, count = repository.hadolint(CHECKOUT, dockerfiles)
    verdict("hadolint", "repository", found, f"{count} Dockerfiles")


def test_workflows(verdict):
    workflows = [name for name in repository.tracked(CHECKOUT) if name.parent == Path(".github/workflows")]
    assert workflows
    found, count = repository.actionlint(CHECKOUT, workflows)
    verdict("actionlint", "repository", found, f"{count} workflows")


def test_actionlint_finds_a_fault(tmp_path):
    workflow = tmp_path / "workflow.yml"
    workflow.write_text("on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    step: []\n")
    found, _ = repository.actionlint(tmp_path, [workflow.relative_to(tmp_path)])
    assert any('unexpected key "step"' in finding.check for finding in found)


@pytest.mark.parametrize(
    ("environment", "of_equipment", "scanner", "limit"),
    [
        (name, of_equipment, scanner, limit)
        for name, settings in ENVIRONMENTS.items()
        for of_equipment, part in ((False, settings), (True, settings.get("test_equipment", {"exceptions": {}})))
        for scanner, limit in part["exceptions"].items()
    ],
)
def test_few_exceptions(environment, of_equipment, scanner, limit, exceptions):
    """Every failed check of every object counts."""
    equipment = ENVIRONMENTS[environment].get("test_equipment", {"objects": []})["objects"]
    mine = [
        found
        for found in exceptions
        if (found.scanner, found.scope) == (scanner, environment) and (found.object in equipment) == of_equipment
    ]
    assert len(mine) <= limit, f"{scanner} may let {limit} checks fail in {environment}, exceptions.yml lists more"


@environment
def test_exceptions_of_an_environment_are_limited(environment):
    """Without a number, anybody could add one unnoticed."""
    for part in (ENVIRONMENTS[environment], ENVIRONMENTS[environment].get("test_equipment")):
        assert part is None or part["exceptions"].keys() == {"checkov", "kube-score"}


def test_scopes_of_exceptions_are_scanned(exceptions):
    """An exception for an environment that is not scanned would never be found stale."""
    assert {found.scope for found in exceptions} <= {*ENVIRONMENTS, "repository"}


def test_only_the_repository_has_what_is_left_out(skips):
    """What would be applied is looked at as a whole."""
    assert {skip.scope for skip in skips} == {"repository"}
