# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of an installation whose verdict is the API server's: access, Pod Security, quota; and the whole role.

There are no nodes, so nothing answers in a pod: that part is seen on a cluster.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.app_release import APPS, DEFAULT_APP
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.checks import CHECKS
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.checks import verify as make_checks
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import Outcome
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.spawned_job import (
    RESOURCES,
    spawned_job,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from release_objects import RBAC, a_config_map, a_deployment, a_secret, an_object

REPOSITORY = Path(__file__).parents[2]
SECRET = "MARK/signing+secret=1&x y"
Verify = Callable[..., dict[str, Outcome]]
DISPATCHER = "agentsmith-dispatcher"


@pytest.fixture
def verify(connection_options: dict[str, Any], namespace: str) -> Verify:
    """Make the checks: `verify(*only, options=…, app=…)` returns the outcomes by name."""

    def run(*only: str, options: dict[str, Any] | None = None, app: str = DEFAULT_APP) -> dict[str, Outcome]:
        with Connection(options or connection_options) as connection:
            target = Target(connection, Names(namespace, "agentsmith-secrets", "agentsmith-config", "agentsmith"), [])
            asked = Asked(target, "", "", 0, app=APPS[app])
            return {outcome.check: outcome for outcome in make_checks(asked, only)}

    return run


@pytest.fixture
def create(control_plane: ControlPlane, namespace: str) -> Callable[..., None]:
    """Create an object past everything that is under test."""
    paths = {
        "ServiceAccount": f"/api/v1/namespaces/{namespace}/serviceaccounts",
        "Role": f"/apis/{RBAC}/v1/namespaces/{namespace}/roles",
        "RoleBinding": f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings",
        "ClusterRoleBinding": f"/apis/{RBAC}/v1/clusterrolebindings",
        "ResourceQuota": f"/api/v1/namespaces/{namespace}/resourcequotas",
        "Deployment": f"/apis/apps/v1/namespaces/{namespace}/deployments",
        "Job": f"/apis/batch/v1/namespaces/{namespace}/jobs",
        "Pod": f"/api/v1/namespaces/{namespace}/pods",
        "Secret": f"/api/v1/namespaces/{namespace}/secrets",
    }

    def run(*bodies: dict[str, Any]) -> None:
        for body in bodies:
            status, answer = control_plane.request("POST", paths[body["kind"]], body)
            assert status == 201, answer

    return run


def awaited(verify: Verify, check: str, result: str) -> Outcome:
    """Ask until the check has a result: authoriser and admission see new objects a moment later."""
    deadline = time.monotonic() + 20
    while (outcome := verify(check)[check]).result != result:
        assert time.monotonic() < deadline, outcome
        time.sleep(0.05)
    return outcome


def a_binding(kind: str, name: str, namespace: str, role: str) -> dict[str, Any]:
    """Bind a ServiceAccount `agentsmith` to a ClusterRole, or to a Role of the namespace."""
    return an_object(
        f"{RBAC}/v1",
        kind,
        namespace if kind == "RoleBinding" else "",
        name,
        roleRef={"apiGroup": RBAC, "kind": "Role" if kind == "RoleBinding" else "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": "agentsmith", "namespace": namespace}],
    )


def test_the_role_of_the_release_is_enough_and_no_more(verify: Verify, create: Any, namespace: str) -> None:
    assert verify("access_jobs")["access_jobs"].result == "failed"
    rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]
    create(an_object(f"{RBAC}/v1", "Role", namespace, "job-manager", rules=rules))
    create(a_binding("RoleBinding", "job-manager", namespace, "job-manager"))
    awaited(verify, "access_jobs", "ok")
    found = verify("rbac")
    assert {name: outcome.result for name, outcome in found.items()} == {
        "access_jobs": "ok",
        "access_elsewhere": "ok",
        "access_secrets": "ok",
    }


def test_a_release_that_asks_after_its_jobs_needs_the_right_to(verify: Verify, create: Any, namespace: str) -> None:
    rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]
    create(an_object(f"{RBAC}/v1", "Role", namespace, "job-manager", rules=rules))
    create(a_binding("RoleBinding", "job-manager", namespace, "job-manager"))
    awaited(verify, "access_jobs", "ok")
    outcome = verify("access_jobs", app="0.9.2")["access_jobs"]
    assert (outcome.result, outcome.evidence) == ("failed", f"may not get jobs in {namespace}")


@pytest.mark.parametrize("app", APPS)
def test_the_jobs_of_every_release_are_taken_as_they_are(control_plane: ControlPlane, namespace: str, app: str) -> None:
    job = spawned_job(namespace, a_deployment(namespace, DISPATCHER), APPS[app])
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs?dryRun=All&fieldValidation=Strict"
    status, taken = control_plane.request("POST", path, job)
    assert status == 201, taken
    assert (
        taken["spec"]["template"]["spec"]["containers"][0]["args"]
        == (job["spec"]["template"]["spec"]["containers"][0]["args"])
    )


def test_too_much_access_is_found_with_its_binding(
    verify: Verify, create: Any, control_plane: ControlPlane, namespace: str
) -> None:
    name = f"everything-of-{namespace}"
    create(a_binding("ClusterRoleBinding", name, namespace, "cluster-admin"))
    try:
        for check in ("access_elsewhere", "access_secrets"):
            assert name in awaited(verify, check, "failed").hint
    finally:
        control_plane.request("DELETE", f"/apis/{RBAC}/v1/clusterrolebindings/{name}")


@pytest.mark.parametrize(
    ("level", "refuses", "admits"),
    [
        (None, "failed", "ok"),
        ("privileged", "not checked", "ok"),
        ("baseline", "ok", "ok"),
        ("restricted", "ok", "failed"),
    ],
)
def test_pod_security(
    verify: Verify, create: Any, control_plane: ControlPlane, namespace: str, level: Any, refuses: str, admits: str
) -> None:
    create(a_deployment(namespace, DISPATCHER))
    labels = {"pod-security.kubernetes.io/enforce": level}
    patch = {"metadata": {"labels": labels}}
    path = f"/api/v1/namespaces/{namespace}"
    assert control_plane.request("PATCH", path, patch, "application/merge-patch+json")[0] == 200
    awaited(verify, "pod_security", refuses)
    outcome = awaited(verify, "job_admission", admits)
    assert ("`baseline` is the strictest level" in outcome.hint) == (admits == "failed")
    pods = control_plane.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert not [pod for pod in pods if pod["metadata"]["name"].startswith("agentsmith-0")]  # it was a dry run


def test_a_quota_that_no_job_fits_into(verify: Verify, create: Any, namespace: str) -> None:
    create(a_deployment(namespace, DISPATCHER))
    create(an_object("v1", "ResourceQuota", namespace, "small", spec={"hard": {"requests.memory": "400Mi"}}))
    assert "exceeded quota: small" in awaited(verify, "job_admission", "failed").evidence


def test_a_quota_that_a_running_job_has_used_up(verify: Verify, create: Any, namespace: str) -> None:
    create(an_object("v1", "ResourceQuota", namespace, "one", spec={"hard": {"requests.memory": "600Mi"}}))
    create(a_deployment(namespace, DISPATCHER))  # whose own pod does not fit into it
    awaited(verify, "job_admission", "ok")
    container = {"name": "agentsmith", "image": "agentsmith", "resources": RESOURCES}
    create(an_object("v1", "Pod", namespace, "agentsmith-1", spec={"containers": [container]}))
    assert "exceeded quota: one" in awaited(verify, "job_admission", "warning").evidence


def test_without_rights_nothing_fails(
    verify: Verify, create: Any, control_plane: ControlPlane, connection_options: dict[str, Any], namespace: str
) -> None:
    create(an_object("v1", "ServiceAccount", namespace, "nobody"))
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/nobody/token"
    status, answer = control_plane.request("POST", path, {"spec": {}})
    assert status == 201, answer
    found = verify(options={**connection_options, "api_key": answer["status"]["token"]})
    assert found.keys() == set(CHECKS)
    assert {outcome.result for outcome in found.values()} == {"not checked"}
    assert "deployments" in found["dispatcher_rollout"].evidence


def test_the_role_shows_a_table_fails_and_shows_no_secret(
    create: Any, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    values = {"redis-url": "redis:6379", "slack-bot-token": "xoxb-MARK", "slack-signing-secret": SECRET}
    objects = [a_secret(namespace, **values), a_config_map(namespace, **{"agentsmith.yml": "{}"})]
    create(a_secret(namespace, **{**values, "redis-url": "redis://:MARK@redis:6379"}))
    (tmp_path / "kubeconfig").write_text(control_plane.kubeconfig(), encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ncollections_path = {REPOSITORY / '.collections'}\nlocal_tmp = {tmp_path / 'ansible'}\n"
        "callback_result_format = yaml\n",
        encoding="utf-8",
    )
    variables = {
        "agentsmith_kubeconfig": str(tmp_path / "kubeconfig"),
        "agentsmith_namespace": namespace,
        "release_objects": objects,
        "verify_timeout": 0,
    }
    (tmp_path / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    role = {"name": "Verify", "ansible.builtin.import_role": {"name": "agentsmith.platform.verify"}}
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [role]}]
    (tmp_path / "playbook.yml").write_text(json.dumps(play), encoding="utf-8")
    ended = ansible_playbook(
        "--inventory=localhost,",
        f"--extra-vars=@{tmp_path / 'variables.json'}",
        tmp_path / "playbook.yml",
        "-vvvvv",
        ANSIBLE_CONFIG=str(tmp_path / "ansible.cfg"),
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode == 2, output
    assert "Deployment agentsmith-dispatcher does not exist" in output
    assert "redis-url is a URL, which the app cannot read" in output
    assert "checks failed: dispatcher_rollout, secret_keys, config_map, access_jobs, pod_security" in output
    # The message of the failure says why, too: a deploy repeats it after it has undone itself.
    assert re.search(r"pod_security\. The table above says why\.\s+- dispatcher_rollout: Deployment", output), output
    assert "\\n" not in output
    assert "MARK" not in output
    assert base64.b64encode(SECRET.encode()).decode() not in output
