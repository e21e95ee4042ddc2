# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode and diff mode against a real API server."""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_config_map, a_deployment, a_release, a_secret


def test_a_release_is_previewed_before_its_namespace_exists(
    apply: Apply, control_plane: ControlPlane, new_namespace: str
) -> None:
    objects = a_release(new_namespace)
    preview = apply(objects, check_mode=True, diff_mode=True)
    assert preview["changed"]
    assert {entry["result"] for entry in preview["objects"]} == {"created"}
    assert preview["requests"]["write"] == 0
    assert len(preview["diff"]) == len(objects)
    assert "ghp_0123456789" not in str(preview)
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is None
    assert {entry["result"] for entry in apply(objects)["objects"]} == {"created"}


def test_a_preview_without_namespace_finds_a_wrong_object(apply: Apply, new_namespace: str) -> None:
    objects = a_release(new_namespace)
    objects[-2]["spec"]["replica"] = 2
    with pytest.raises(ApplyError, match=r"spec\.replica does not exist"):
        apply(objects, check_mode=True)


def test_a_preview_says_what_the_run_then_does(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply([a_config_map(namespace, key="old"), a_deployment(namespace)])
    path = f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config"
    before = control_plane.get(path)
    changed = a_deployment(namespace)
    changed["spec"]["replicas"] = 2
    objects = [a_config_map(namespace, key="new"), changed, a_secret(namespace, token="ghp_0123456789")]
    preview = apply(objects, check_mode=True, diff_mode=True)
    assert preview["requests"]["write"] == 0
    assert control_plane.get(path) == before
    result = apply(objects, diff_mode=True)
    assert preview["objects"] == result["objects"]
    assert [entry["result"] for entry in result["objects"]] == ["updated", "updated", "created"]
    assert preview["diff"][:2] == result["diff"][:2]  # the third holds a digest with a key of the run


def test_a_preview_meets_the_quota_of_a_namespace_that_exists(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"count/secrets": "0"}},
    }
    status, answer = control_plane.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    assert status == 201, answer
    with pytest.raises(ApplyError, match=r"\(403\).*(exceeded quota|status unknown for quota)"):
        apply([a_secret(namespace, token="ghp_0123456789")], check_mode=True)


def test_the_diff_of_an_update_shows_the_change_alone(apply: Apply, namespace: str) -> None:
    apply([a_config_map(namespace, **{"agentsmith.yml": "projects:\n  a: 1\n"})])
    (entry,) = apply([a_config_map(namespace, **{"agentsmith.yml": "projects:\n  a: 2\n"})], diff_mode=True)["diff"]
    before, after = entry["before"].splitlines(), entry["after"].splitlines()
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [("      a: 1", "      a: 2")]
    for noise in ("managedFields", "resourceVersion", "uid", "creationTimestamp"):
        assert noise not in entry["after"]


def test_the_diff_of_a_secret_shows_that_a_value_changed(apply: Apply, namespace: str) -> None:
    apply([a_secret(namespace, **{"github-token": "ghp_old_value", "jira-token": "jira_value"})])
    changed = a_secret(namespace, **{"github-token": "ghp_new_value", "jira-token": "jira_value"})
    result = apply([changed], diff_mode=True)
    (entry,) = result["diff"]
    before, after = entry["before"].splitlines(), entry["after"].splitlines()
    (pair,) = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert all(line.startswith("  github-token: '******** (digest ") for line in pair)
    assert not any(value in str(result) for value in ("ghp_old_value", "ghp_new_value", "jira_value"))
