# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed key of a Secret rolls the workloads that read it, and no others, against a real API server."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.run import Run, Settings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from control_plane import ControlPlane
from engine import Apply
from release_objects import RBAC, a_deployment, a_secret, an_object, secret_key

ANNOTATION = "agentsmith.platform/secret-digest"
DIGEST_PATH = f"spec.template.metadata.annotations[{ANNOTATION}]"
VALUES = {"redis-url": "redis:6379", "github-token": "ghp_0123456789", "anthropic-api-key": "sk-ant-0123456789"}
MERGE = "application/merge-patch+json"
FIXED_READS = 3  # /version, /api, /apis


def a_stack(namespace: str, **changed: str) -> list[dict[str, Any]]:
    """Return a Secret, Redis, which reads none of it, and a Dispatcher, which reads two of its three keys."""
    return [
        a_secret(namespace, **{**VALUES, **changed}),
        a_deployment(namespace),
        a_deployment(namespace, "dispatcher", "redis-url", "github-token"),
    ]


def deployment(control_plane: ControlPlane, namespace: str, name: str) -> dict[str, Any]:
    """Return a live Deployment."""
    return control_plane.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")


def generations(control_plane: ControlPlane, namespace: str) -> tuple[int, int]:
    """Return how often Dispatcher and Redis were changed."""
    dispatcher, redis = (deployment(control_plane, namespace, name) for name in ("dispatcher", "redis"))
    return dispatcher["metadata"]["generation"], redis["metadata"]["generation"]


def digest(control_plane: ControlPlane, namespace: str, name: str = "dispatcher") -> str | None:
    """Return the annotation of a live Deployment."""
    template = deployment(control_plane, namespace, name)["spec"]["template"]
    return (template["metadata"].get("annotations") or {}).get(ANNOTATION)


def path_of_secret(namespace: str) -> str:
    """Return the REST path of the Secret."""
    return f"/api/v1/namespaces/{namespace}/secrets/agentsmith-secrets"


def put_secret_by_hand(control_plane: ControlPlane, namespace: str, **data: str) -> None:
    """Make or change the Secret as another program would."""
    body = {**a_secret(namespace), "stringData": data}
    del body["metadata"]["labels"]
    status, answer = control_plane.request(
        "PATCH", f"{path_of_secret(namespace)}?fieldManager=external", body, "application/apply-patch+yaml"
    )
    assert status in (200, 201), answer


def test_the_first_run_stamps_what_the_second_finds_unchanged(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    apply(a_stack(namespace))
    assert len(digest(control_plane, namespace) or "") == 64
    assert digest(control_plane, namespace, "redis") is None
    again = apply(a_stack(namespace))
    assert not again["changed"]
    assert again["requests"] == {"read": FIXED_READS + 3, "write": 0, "dry_run": 0}
    assert generations(control_plane, namespace) == (1, 1)


def test_a_changed_key_rolls_its_readers_once(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    new = a_stack(namespace, **{"github-token": "ghp_9876543210"})
    preview = apply(new, check_mode=True)
    result = apply(new)
    assert preview["objects"] == result["objects"]
    secret, redis, dispatcher = result["objects"]
    assert secret["changed_keys"] == ["github-token"]
    assert (redis["result"], redis["fields"]) == ("unchanged", [])
    assert "secret_keys" not in redis
    assert dispatcher["fields"] == [DIGEST_PATH]
    assert dispatcher["secret_keys"] == [
        {"secret": "agentsmith-secrets", "names": ["github-token", "redis-url"], "changed": ["github-token"]}
    ]
    assert generations(control_plane, namespace) == (2, 1)
    assert apply(new)["requests"]["write"] == 0
    assert generations(control_plane, namespace) == (2, 1)


def test_the_preview_shows_the_digest_that_the_run_writes(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    apply(a_stack(namespace))
    new = a_stack(namespace, **{"github-token": "ghp_9876543210"})
    preview = apply(new, check_mode=True, diff_mode=True)
    assert "ghp_" not in str(preview)
    apply(new)
    assert f"{ANNOTATION}: {digest(control_plane, namespace)}" in preview["diff"][1]["after"]


def test_a_key_that_no_workload_reads_rolls_nothing(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    before = digest(control_plane, namespace)
    result = apply(a_stack(namespace, **{"anthropic-api-key": "sk-ant-9876543210"}))
    assert [entry["result"] for entry in result["objects"]] == ["updated", "unchanged", "unchanged"]
    assert digest(control_plane, namespace) == before
    assert generations(control_plane, namespace) == (1, 1)


def test_a_new_optional_key_rolls_its_reader(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    stack = a_stack(namespace)
    container = stack[2]["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "JIRA_TOKEN", "valueFrom": secret_key("jira-token", optional=True)})
    apply(stack)
    stack[0]["stringData"]["jira-token"] = "jira-0123456789"
    apply(stack)
    assert generations(control_plane, namespace) == (2, 1)
    del stack[0]["stringData"]["jira-token"]
    apply(stack)
    assert generations(control_plane, namespace) == (3, 1)


def test_a_preview_of_a_new_secret_says_that_the_digest_is_not_known(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    preview = apply(a_stack(namespace), check_mode=True, diff_mode=True)
    assert f"{ANNOTATION}: (known once the Secret exists)" in preview["diff"][2]["after"]
    assert "warnings" not in preview
    result = apply(a_stack(namespace), diff_mode=True)
    assert preview["objects"] == result["objects"]
    assert f"{ANNOTATION}: {digest(control_plane, namespace)}" in result["diff"][2]["after"]


def test_a_secret_made_anew_rolls_its_readers_once(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    assert control_plane.request("DELETE", path_of_secret(namespace))[0] == 200
    preview = apply(a_stack(namespace), check_mode=True)
    result = apply(a_stack(namespace))
    assert preview["objects"] == result["objects"]
    assert generations(control_plane, namespace) == (2, 1)
    assert apply(a_stack(namespace))["requests"]["write"] == 0


def test_a_run_that_ended_after_the_secret_is_completed(
    apply: Apply, control_plane: ControlPlane, namespace: str
) -> None:
    apply(a_stack(namespace))
    new = a_stack(namespace, **{"github-token": "ghp_9876543210"})
    apply(new[:1])
    assert generations(control_plane, namespace) == (1, 1)
    result = apply(new)
    assert result["objects"][2]["fields"] == [DIGEST_PATH]
    assert generations(control_plane, namespace) == (2, 1)


def test_a_secret_of_others_rolls_its_readers(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    put_secret_by_hand(control_plane, namespace, **VALUES)
    workloads = a_stack(namespace)[1:]
    apply(workloads)
    again = apply(workloads)
    assert again["requests"] == {"read": FIXED_READS + len(workloads) + 1, "write": 0, "dry_run": 0}
    put_secret_by_hand(control_plane, namespace, **{**VALUES, "anthropic-api-key": "sk-ant-9876543210"})
    assert not apply(workloads)["changed"]
    put_secret_by_hand(control_plane, namespace, **{**VALUES, "github-token": "ghp_9876543210"})
    preview = apply(workloads, check_mode=True, diff_mode=True)
    result = apply(workloads, diff_mode=True)
    assert preview["objects"] == result["objects"]
    assert preview["diff"] == result["diff"]
    assert "ghp_9876543210" not in str(result)
    assert generations(control_plane, namespace) == (2, 1)
    assert control_plane.get(path_of_secret(namespace))["metadata"]["managedFields"][0]["manager"] == "external"


def test_values_of_a_secret_of_others_are_masked(
    control_plane: ControlPlane, namespace: str, connection_options: dict[str, Any]
) -> None:
    """A pod may log what it reads, and a failed rollout quotes the log."""
    put_secret_by_hand(control_plane, namespace, **VALUES)
    redactor = Redactor()
    with Connection(connection_options) as connection:
        Run(Settings(wait=False), redactor).execute(connection, a_stack(namespace)[1:])
    assert redactor.text(f"login with {VALUES['anthropic-api-key']} failed") == "login with ******** failed"


def test_equal_values_in_two_secrets_give_different_digests(
    apply: Apply, control_plane: ControlPlane, namespace: str, new_namespace: str
) -> None:
    other = new_namespace if new_namespace != namespace else f"{namespace}-b"
    digests = []
    for name in (namespace, other):
        if control_plane.get(f"/api/v1/namespaces/{name}") is None:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            assert control_plane.request("POST", "/api/v1/namespaces", body)[0] == 201
        apply(a_stack(name))
        digests.append(digest(control_plane, name))
    assert len(set(digests)) == 2


def test_a_restart_by_kubectl_is_not_undone(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/dispatcher"
    restart = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    patch = {"spec": {"template": {"metadata": {"annotations": restart}}}}
    control_plane.request("PATCH", f"{path}?fieldManager=kubectl-rollout", patch, MERGE)
    assert not apply(a_stack(namespace))["changed"]
    apply(a_stack(namespace, **{"github-token": "ghp_9876543210"}))
    annotations = control_plane.get(path)["spec"]["template"]["metadata"]["annotations"]
    assert annotations.keys() == {*restart, ANNOTATION}


def test_an_annotation_changed_by_hand_is_taken_back(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    before = digest(control_plane, namespace)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/dispatcher"
    patch = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: "x"}}}}}
    control_plane.request("PATCH", f"{path}?fieldManager=kubectl-edit", patch, MERGE)
    assert apply(a_stack(namespace))["changed"]
    assert digest(control_plane, namespace) == before


def test_the_annotation_is_ours(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace))
    (ours,) = [
        entry
        for entry in deployment(control_plane, namespace, "dispatcher")["metadata"]["managedFields"]
        if entry["manager"] == "agentsmith.platform"
    ]
    assert f"f:{ANNOTATION}" in ours["fieldsV1"]["f:spec"]["f:template"]["f:metadata"]["f:annotations"]


def test_switched_off(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    apply(a_stack(namespace), roll_on_secret_change=False)
    assert digest(control_plane, namespace) is None
    result = apply(a_stack(namespace, **{"github-token": "ghp_9876543210"}), roll_on_secret_change=False)
    assert [entry["result"] for entry in result["objects"]] == ["updated", "unchanged", "unchanged"]
    assert generations(control_plane, namespace) == (1, 1)


@pytest.mark.parametrize("made_by", ["nobody", "others", "this run"])
def test_a_key_that_is_nowhere_stops_a_run_before_the_first_write(
    apply: Apply, control_plane: ControlPlane, namespace: str, made_by: str
) -> None:
    workload = a_deployment(namespace, "dispatcher", "github-token")
    secret = a_secret(namespace, other="x")
    if made_by == "others":
        put_secret_by_hand(control_plane, namespace, other="x")
    objects = [secret, workload] if made_by == "this run" else [workload]
    with pytest.raises(ApplyError) as caught:
        apply(objects)
    message = str(caught.value)
    assert f"Deployment {namespace}/dispatcher needs github-token of Secret {namespace}/agentsmith-secrets" in message
    assert ("does not exist" if made_by == "nobody" else "has no such key") in message
    assert "Nothing was changed" in message
    assert deployment(control_plane, namespace, "dispatcher") is None
    assert (control_plane.get(path_of_secret(namespace)) is None) == (made_by != "others")
    preview = apply(objects, check_mode=True)
    assert "needs github-token" in preview["warnings"][0]


def test_who_may_not_read_the_secret_is_told_why_it_is_read(
    apply: Apply, control_plane: ControlPlane, namespace: str, connection_options: dict[str, Any]
) -> None:
    put_secret_by_hand(control_plane, namespace, **VALUES)
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "create", "patch"]}]
    rules.append({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]})
    subject = {"kind": "User", "apiGroup": RBAC, "name": "deployer"}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "deployer"}
    apply(
        [
            an_object(f"{RBAC}/v1", "Role", namespace, "deployer", rules=rules),
            an_object(f"{RBAC}/v1", "RoleBinding", namespace, "deployer", roleRef=role, subjects=[subject]),
        ]
    )
    workload = a_deployment(namespace, "dispatcher", "github-token")
    options = {**connection_options, "impersonate_user": "deployer"}
    with pytest.raises(ApplyError, match=r"(?s)agentsmith-secrets cannot be read \(403\).*roll_on_secret_change"):
        apply([workload], options=options)
    assert apply([workload], options=options, roll_on_secret_change=False)["changed"]


def test_a_key_added_by_hand_to_our_secret_counts(apply: Apply, control_plane: ControlPlane, namespace: str) -> None:
    stack = a_stack(namespace)
    container = stack[2]["spec"]["template"]["spec"]["containers"][0]
    container["envFrom"] = [{"secretRef": {"name": "agentsmith-secrets"}}]
    apply(stack)
    data = {"data": {"extra": base64.b64encode(b"by-hand").decode()}}
    control_plane.request("PATCH", f"{path_of_secret(namespace)}?fieldManager=kubectl-edit", data, MERGE)
    result = apply(stack)
    assert [entry["result"] for entry in result["objects"]] == ["unchanged", "unchanged", "updated"]
    assert apply(stack)["requests"]["write"] == 0


def test_workloads_are_deleted_without_a_look_at_their_secrets(apply: Apply, namespace: str) -> None:
    workload = a_deployment(namespace, "dispatcher", "github-token")
    assert apply([workload], state="absent")["requests"] == {"read": FIXED_READS + 1, "write": 0, "dry_run": 0}
