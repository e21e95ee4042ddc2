# SPDX-License-Identifier: GPL-3.0-or-later
"""What a teardown says: of a preview what would be done, of a run what was done, of a failed one how far it came."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from in_memory_release import CONFIG_MAP, NAMESPACE, InMemoryRelease, a_release, an_object


@pytest.fixture
def release() -> InMemoryRelease:
    """A release with the namespace that it made."""
    release = InMemoryRelease()
    release.deploy(a_release())
    return release


@pytest.fixture
def with_others(release: InMemoryRelease) -> InMemoryRelease:
    """A release in a namespace that was there before."""
    del release.cluster.objects[NAMESPACE]["metadata"]["annotations"]
    return release


def said(release: InMemoryRelease) -> list[str]:
    return [" ".join(line.split()) for line in release.last.result()["text"].splitlines()]


@pytest.mark.parametrize(("check_mode", "deleted"), [(True, "would be deleted"), (False, "deleted")])
def test_what_goes_with_the_namespace(release: InMemoryRelease, check_mode: bool, deleted: str) -> None:
    result = release.tear_down(check_mode=check_mode).result()
    assert {entry["result"] for entry in result["objects"]} == {"deleted", "updated"}
    for name in ("Deployment agentsmith-dispatcher", "ConfigMap agentsmith-config"):
        assert f"{name} {deleted}" in said(release)
    assert f"Namespace n: {deleted}, the release created it, and nothing else is in it." in said(release)
    assert (NAMESPACE in release.cluster.objects) is check_mode


@pytest.mark.parametrize(
    ("check_mode", "updated", "released"),
    [(True, "would be updated", "would be released"), (False, "updated", "released")],
)
def test_what_stays(with_others: InMemoryRelease, check_mode: bool, updated: str, released: str) -> None:
    with_others.tear_down(check_mode=check_mode)
    assert f"Secret agentsmith-release {updated}" in said(with_others)
    reason = "it is older than the release, and only loses the labels of the release"
    assert f"Namespace n: {released}, {reason}." in said(with_others)


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_namespace_of_others_is_kept_in_a_preview_too(release: InMemoryRelease, check_mode: bool) -> None:
    foreign = an_object("v1", "ConfigMap", "foreign")
    foreign["metadata"] |= {"labels": {}, "uid": "foreign"}
    release.cluster.objects[f"{NAMESPACE}/configmaps/foreign"] = foreign
    release.tear_down(check_mode=check_mode)
    assert "Namespace n: kept, it contains objects that do not belong to this release." in said(release)


def test_a_teardown_that_failed_says_that_it_did_not_come_to_the_namespace(release: InMemoryRelease) -> None:
    def refuse(method: str, path: str, _body: Any) -> None:
        if (method, path) == ("DELETE", CONFIG_MAP):
            raise ApiError(403, "Forbidden", "not for you")

    release.cluster.hook = refuse
    with pytest.raises(ApplyError, match="was not deleted"):
        release.tear_down()
    assert "Namespace n: kept, the teardown did not come that far." in said(release)
