# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, leave alone, update and delete against a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from control_plane import ControlPlane
from engine import Apply
from release_objects import a_config_map, a_deployment, a_release, a_secret, an_object

FIXED_READS = 3  # /version, /api, /apis


def results(result: dict[str, Any]) -> set[str]:
    """Return the distinct results of the objects."""
    return {entry["result"] for entry in result["objects"]}


def test_a_new_release_is_created_then_left_alone(apply: Apply, new_namespace: str) -> None:
    objects = a_release(new_namespace)
    first = apply(objects)
    assert first["changed"]
    assert results(first) == {"created"}
    assert first["requests"]["write"] == len(objects)
    second = apply(objects)
    assert not second["changed"]
    assert results(second) == {"unchanged"}
    assert second["requests"] == {"read": FIXED_READS + len(objects), "write": 0, "dry_run": 0}


def test_a_changed_object_costs_two_requests(apply: Apply, namespace: str) -> None:
    apply([a_config_map(namespace, key="old")])
    result = apply([a_config_map(namespace, key="new")])
    assert [entry["fields"] for entry in result["objects"]] == [["data.key"]]
    schema = 1
    assert result["requests"] == {"read": FIXED_READS + schema + 1, "write": 1, "dry_run": 0}


def test_what_is_no_longer_stated_is_removed(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply([a_secret(namespace, **{"github-token": "ghp_0123456789", "jira-token": "withdrawn-key"})])
    result = apply([a_secret(namespace, **{"github-token": "ghp_0123456789"})])
    assert result["objects"][0]["fields"] == ["data.jira-token"]
    live = control_plane.get(f"/api/v1/namespaces/{namespace}/secrets/agentsmith-secrets")
    assert list(live["data"]) == ["github-token"]


def test_another_spelling_of_a_quantity_is_no_change(apply: Apply, namespace: str) -> None:
    deployment = a_deployment(namespace)
    apply([deployment])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"] = {"cpu": 1, "memory": "1Gi"}
    assert apply([deployment])["requests"]["write"] == 0


def test_an_edit_by_hand_is_undone(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply([a_config_map(namespace, key="ours")])
    path = f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config"
    control_plane.request("PATCH", path + "?fieldManager=kubectl-edit", {"data": {"key": "theirs"}}, MERGE)
    result = apply([a_config_map(namespace, key="ours")])
    assert result["objects"][0]["former_owners"] == [{"manager": "kubectl-edit", "fields": ["data.key"]}]
    assert "data.key was taken over from field manager kubectl-edit" in result["warnings"][0]
    assert control_plane.get(path)["data"] == {"key": "ours"}


def test_a_field_of_a_foreign_object_is_not_taken(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "agentsmith-config"}}
    control_plane.request("POST", path + "?fieldManager=helm", {**foreign, "data": {"key": "theirs"}})
    with pytest.raises(ApplyError, match=r"(?s)helm owns data.key.*agentsmith_adopt=true"):
        apply([a_config_map(namespace, key="ours")])
    assert control_plane.get(f"{path}/agentsmith-config")["data"] == {"key": "theirs"}
    assert apply([a_config_map(namespace, key="ours")], force_conflicts=True)["changed"]
    assert control_plane.get(f"{path}/agentsmith-config")["data"] == {"key": "ours"}


def test_the_copy_that_kubectl_leaves_is_stripped(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    secret = a_secret(namespace, **{"github-token": "ghp_0123456789"})
    apply([secret])
    path = f"/api/v1/namespaces/{namespace}/secrets/agentsmith-secrets"
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"github-token":"ghp_old"}}'}
    control_plane.request("PATCH", path + "?fieldManager=kubectl", {"metadata": {"annotations": annotation}}, MERGE)
    preview = apply([secret], check_mode=True, diff_mode=True)
    assert preview["objects"][0]["result"] == "updated"
    assert "ghp_old" not in str(preview)
    result = apply([secret])
    assert result["objects"][0]["last_applied_removed"]
    assert "client-side kubectl apply" in result["warnings"][0]
    assert result["requests"]["write"] == 1
    assert "annotations" not in control_plane.get(path)["metadata"]
    assert not apply([secret])["changed"]


def test_the_record_of_an_object_holds_no_plain_value(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    apply([a_secret(namespace, **{"github-token": "ghp_0123456789"})])
    live = control_plane.get(f"/api/v1/namespaces/{namespace}/secrets/agentsmith-secrets")
    assert "stringData" not in str(live)
    assert "ghp_0123456789" not in str(live)


def test_absent_deletes_and_waits(apply: Apply, control_plane: ControlPlane, new_namespace: str) -> None:
    objects = a_release(new_namespace)
    apply(objects)
    preview = apply(objects, state="absent", check_mode=True, diff_mode=True)
    assert results(preview) == {"deleted"}
    assert preview["requests"]["write"] == 0
    assert all(entry["before"] and not entry["after"] for entry in preview["diff"])
    assert "ghp_0123456789" not in str(preview)
    result = apply(objects, state="absent", wait=True, wait_timeout=60)
    assert results(result) == {"deleted"}
    assert control_plane.get(f"/api/v1/namespaces/{new_namespace}") is None
    again = apply(objects, state="absent")
    assert results(again) == {"absent"}
    assert again["requests"]["write"] == 0


def test_absent_names_what_holds_an_object(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    held = a_config_map(namespace, key="value")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    apply([held])
    with pytest.raises(ApplyError, match="finalizers example.com/hold"):
        apply([held], state="absent", wait=True, wait_timeout=1)
    path = f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config"
    control_plane.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)


def test_what_is_on_its_way_out_is_not_deleted_again(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    held = a_config_map(namespace, key="value")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    objects = [an_object("v1", "Namespace", "", namespace), held]
    apply(objects)
    assert apply(objects, state="absent")["requests"]["write"] == 2
    again = apply(objects, state="absent")
    assert results(again) == {"absent"}
    assert again["requests"]["write"] == 0
    with pytest.raises(ApplyError, match="is being deleted but still exists"):
        apply(objects, state="absent", wait=True, wait_timeout=1)
    path = f"/api/v1/namespaces/{namespace}/configmaps/agentsmith-config"
    control_plane.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)


def test_a_kind_that_is_not_served_is_absent(apply: Apply, namespace: str) -> None:
    unknown = an_object("example.com/v1", "Unknown", namespace, "x")
    assert results(apply([unknown], state="absent")) == {"absent"}


MERGE = "application/merge-patch+json"
