# SPDX-License-Identifier: GPL-3.0-or-later
"""The admission policies of the role job_policy, asked by a real API server: what a Job gets, and what is refused."""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification import checks, job_admission_probes
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.outcome import Outcome
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.probe import Asked
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from engine import Apply
from release_objects import RBAC, a_deployment, an_object

IMAGE = "registry.example.com/agentsmith:1.2.0"
CONFIG_MOUNT = {
    "name": "agentsmith-config",
    "mountPath": "/app/config/agentsmith.yml",
    "subPath": "agentsmith.yml",
    "readOnly": True,
}
POLICY_KINDS = {
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
Objects = list[dict[str, Any]]
Answer = tuple[int, Any]
# Every field that a Job can state itself and that passes; a pod of it passes Pod Security `restricted`.
LAWFUL = {
    "spec": {
        "activeDeadlineSeconds": 60,
        "template": {
            "spec": {
                "serviceAccountName": "default",
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 4711,
                    "runAsGroup": 4712,
                    "seLinuxOptions": {"type": "container_t", "level": "s0:c1,c2"},
                    "seccompProfile": {"type": "Localhost", "localhostProfile": "agent.json"},
                },
                "volumes": [{"name": "scratch", "emptyDir": {}}],
                "containers": [
                    {
                        "name": "agentsmith",
                        "image": IMAGE,
                        "env": [
                            {
                                "name": "GITHUB_TOKEN",
                                "valueFrom": {"secretKeyRef": {"name": "agentsmith-secrets", "key": "github-token"}},
                            }
                        ],
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                    }
                ],
            }
        },
    }
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Objects]:
    """Render the role as render.yml does: `rendered({"one": {variables}})` returns the objects of all targets."""

    def run(targets: dict[str, dict[str, Any]]) -> Objects:
        directory = tmp_path_factory.mktemp("policies")
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "agentsmith_job_policy": True,
            "agentsmith_agent_image": IMAGE,
            "render_dir": f"{directory}/{{{{ inventory_hostname }}}}",
        }
        inventory = directory / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": targets, "vars": common}}))
        finished = ansible_playbook(
            "playbooks/render.yml",
            "--inventory",
            inventory,
            "--tags=job_policy",
            ANSIBLE_LOCAL_TEMP=str(directory / "ansible"),
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return [yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*/*policy*.yaml"))]

    return run


@pytest.fixture(scope="module")
def spawn(control_plane: ControlPlane) -> Callable[..., Answer]:
    """Create a Job in a dry run as the Dispatcher: `spawn("namespace", job)` returns status and answer."""

    def run(namespace: str, job: dict[str, Any], account: str = "agentsmith") -> Answer:
        return control_plane.request(
            "POST",
            f"/apis/batch/v1/namespaces/{namespace}/jobs?dryRun=All",
            job,
            user=f"system:serviceaccount:{namespace}:{account}",
        )

    return run


@pytest.fixture(scope="module")
def homes(rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply) -> dict[str, str]:
    """By the version of MutatingAdmissionPolicy, a namespace with the policies in effect."""
    namespaces = {"v1": "job-policy", "v1beta1": "job-policy-beta"}
    targets = {
        version: {"agentsmith_namespace": namespace, "job_policy_mutating_api_version": version}
        for version, namespace in namespaces.items()
    }
    apply([*(body for namespace in namespaces.values() for body in a_namespace(namespace)), *rendered(targets)])
    for namespace in namespaces.values():
        await_policies(spawn, namespace)
    return namespaces


@pytest.fixture
def home(homes: dict[str, str]) -> str:
    """A namespace with the policies in effect."""
    return homes["v1"]


def a_namespace(name: str) -> Objects:
    """Return a namespace with two ServiceAccounts that may create Jobs."""
    subjects = [
        {"kind": "ServiceAccount", "name": account, "namespace": name} for account in ("agentsmith", "operator")
    ]
    rules = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]
    role = {"apiGroup": RBAC, "kind": "Role", "name": "jobs"}
    return [
        an_object("v1", "Namespace", "", name),
        *(an_object("v1", "ServiceAccount", name, subject["name"]) for subject in subjects),
        an_object(f"{RBAC}/v1", "Role", name, "jobs", rules=rules),
        an_object(f"{RBAC}/v1", "RoleBinding", name, "jobs", roleRef=role, subjects=subjects),
    ]


def a_job(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the Job as the app posts it, without apiVersion and kind, changed at paths like `spec/template`."""
    container = {
        "name": "agentsmith",
        "image": IMAGE,
        "args": ["--headless", "--job-id", "0123456789ab", "fix #54 in web"],
        "env": [
            {
                "name": "GITHUB_TOKEN",
                "valueFrom": {"secretKeyRef": {"name": "agentsmith-secrets", "key": "github-token", "optional": True}},
            },
            {"name": "JOB_ID", "value": "0123456789ab"},
        ],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    }
    labels = {"app": "agentsmith", "job-id": "0123456789ab"}
    job = {
        "metadata": {"name": "agentsmith-0123456789ab", "labels": labels},
        "spec": {
            "ttlSecondsAfterFinished": 300,
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "containers": [container]},
            },
        },
    }
    for path, value in changes:
        *parents, last = path.split("/")
        place: Any = job
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        place[last] = value
    return job


def await_policies(spawn: Callable[..., Answer], namespace: str, job: dict[str, Any] | None = None) -> None:
    """Wait until both policies are in effect: the admission plugins see a new one a moment later."""
    forged = copy.deepcopy(job or a_job())
    forged["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox"
    deadline = time.monotonic() + 20
    while True:
        completed, refused = spawn(namespace, job or a_job()), spawn(namespace, forged)
        if completed[0] == 201 and "activeDeadlineSeconds" in completed[1]["spec"] and refused[0] == 422:
            return
        assert time.monotonic() < deadline, json.dumps((completed, refused))
        time.sleep(0.05)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_job_of_the_dispatcher_is_completed(
    homes: dict[str, str], spawn: Callable[..., Answer], version: str
) -> None:
    status, job = spawn(homes[version], a_job())
    assert status == 201, job
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["spec"]["activeDeadlineSeconds"] == 7200
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "default"
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod["volumes"] == [
        {"name": "agentsmith-config", "configMap": {"name": "agentsmith-config", "defaultMode": 0o644}}
    ]
    assert container["volumeMounts"] == [CONFIG_MOUNT]
    assert container["args"] == a_job()["spec"]["template"]["spec"]["containers"][0]["args"]


def test_what_a_job_states_lawfully_stays(home: str, spawn: Callable[..., Answer]) -> None:
    stated = {**a_job(), "spec": copy.deepcopy(LAWFUL["spec"])}
    stated["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    status, job = spawn(home, stated)
    assert status == 201, job
    pod, wanted = job["spec"]["template"]["spec"], LAWFUL["spec"]["template"]["spec"]
    assert job["spec"]["activeDeadlineSeconds"] == 60
    assert pod["securityContext"] == wanted["securityContext"]
    assert pod["containers"][0]["securityContext"] == wanted["containers"][0]["securityContext"]
    assert pod["containers"][0]["volumeMounts"] == [{"name": "scratch", "mountPath": "/scratch"}, CONFIG_MOUNT]


POD = "spec/template/spec"
CONTAINER = f"{POD}/containers/0"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
IMAGE_RULE = f"runs the image {IMAGE} and no other"
COMMAND_RULE = "runs its image's entry point and nothing besides"
NODE_RULE = "has nothing of its node"
VOLUME_RULE = "volumes of a Job of the Dispatcher are emptyDir and the ConfigMap agentsmith-config"
PRIVILEGE_RULE = "has no privileges"
ROOT_RULE = "does not run as root"
CONFINED_RULE = "is confined"
SELINUX_RULE = "stays a container to SELinux"
ACCOUNT_RULE = "runs as the ServiceAccount default, without its token"
SECRET_RULE = "reads the Secret agentsmith-secrets and no other"
FORGED: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "second container": (
        "exactly one container",
        [(f"{POD}/containers", [{"name": name, "image": IMAGE} for name in ("agentsmith", "b")])],
    ),
    "init container": ("exactly one container", [(f"{POD}/initContainers", [{"name": "a", "image": IMAGE}])]),
    "image": (IMAGE_RULE, [(f"{CONTAINER}/image", "busybox")]),
    "other tag": (IMAGE_RULE, [(f"{CONTAINER}/image", IMAGE + "1")]),
    "command": (COMMAND_RULE, [(f"{CONTAINER}/command", ["sh", "-c"])]),
    "hook": (COMMAND_RULE, [(f"{CONTAINER}/lifecycle", {"postStart": {"exec": {"command": ["sh"]}}})]),
    **{
        f"command of a {probe}": (COMMAND_RULE, [(f"{CONTAINER}/{probe}", {"exec": {"command": ["sh"]}})])
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
    },
    "host network": (NODE_RULE, [(f"{POD}/hostNetwork", True)]),
    "host processes": (NODE_RULE, [(f"{POD}/hostPID", True)]),
    "host memory": (NODE_RULE, [(f"{POD}/hostIPC", True)]),
    "past the scheduler": (NODE_RULE, [(f"{POD}/nodeName", "control-plane")]),
    "port of the node": (NODE_RULE, [(f"{CONTAINER}/ports", [{"containerPort": 80, "hostPort": 80}])]),
    "directory of the node": (VOLUME_RULE, [(f"{POD}/volumes", [{"name": "a", "hostPath": {"path": "/"}}])]),
    "volume of a Secret": (VOLUME_RULE, [(f"{POD}/volumes", [{"name": "a", "secret": {"secretName": "b"}}])]),
    "other ConfigMap": (VOLUME_RULE, [(f"{POD}/volumes", [{"name": "a", "configMap": {"name": "b"}}])]),
    "projected token": (
        VOLUME_RULE,
        [(f"{POD}/volumes", [{"name": "a", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}])],
    ),
    "privileged": (PRIVILEGE_RULE, [(f"{CONTAINER}/securityContext", {"privileged": True})]),
    "escalation": (
        PRIVILEGE_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "allowPrivilegeEscalation": True})],
    ),
    "escalation left open": (PRIVILEGE_RULE, [(f"{CONTAINER}/securityContext", {"capabilities": {"drop": ["ALL"]}})]),
    "capabilities kept": (PRIVILEGE_RULE, [(f"{CONTAINER}/securityContext", {"allowPrivilegeEscalation": False})]),
    "capability added": (
        PRIVILEGE_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}})],
    ),
    "proc unmasked": (
        PRIVILEGE_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "procMount": "Unmasked"}), (f"{POD}/hostUsers", False)],
    ),
    "root": (ROOT_RULE, [(f"{POD}/securityContext", {"runAsUser": 0})]),
    "perhaps root": (ROOT_RULE, [(f"{POD}/securityContext", {"runAsNonRoot": False})]),
    "container as root": (ROOT_RULE, [(f"{CONTAINER}/securityContext", {**RESTRICTED, "runAsUser": 0})]),
    "container perhaps as root": (
        ROOT_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "runAsNonRoot": False})],
    ),
    "group of root": (ROOT_RULE, [(f"{POD}/securityContext", {"runAsGroup": 0})]),
    "container in the group of root": (ROOT_RULE, [(f"{CONTAINER}/securityContext", {**RESTRICTED, "runAsGroup": 0})]),
    "group of root besides": (ROOT_RULE, [(f"{POD}/securityContext", {"supplementalGroups": [4711, 0]})]),
    "group of root for the volumes": (ROOT_RULE, [(f"{POD}/securityContext", {"fsGroup": 0})]),
    "SELinux off": (SELINUX_RULE, [(f"{POD}/securityContext", {"seLinuxOptions": {"type": "spc_t"}})]),
    "SELinux off for the container": (
        SELINUX_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "seLinuxOptions": {"type": "spc_t"}})],
    ),
    "user of SELinux": (SELINUX_RULE, [(f"{POD}/securityContext", {"seLinuxOptions": {"user": "system_u"}})]),
    "role of SELinux": (
        SELINUX_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "seLinuxOptions": {"role": "system_r"}})],
    ),
    "unconfined": (CONFINED_RULE, [(f"{POD}/securityContext", {"seccompProfile": {"type": "Unconfined"}})]),
    "container unconfined": (
        CONFINED_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "seccompProfile": {"type": "Unconfined"}})],
    ),
    "AppArmor off": (CONFINED_RULE, [(f"{POD}/securityContext", {"appArmorProfile": {"type": "Unconfined"}})]),
    "AppArmor off for the container": (
        CONFINED_RULE,
        [(f"{CONTAINER}/securityContext", {**RESTRICTED, "appArmorProfile": {"type": "Unconfined"}})],
    ),
    "kernel parameter": (
        CONFINED_RULE,
        [(f"{POD}/securityContext", {"sysctls": [{"name": "net.ipv4.ip_forward", "value": "1"}]})],
    ),
    "other account": (ACCOUNT_RULE, [(f"{POD}/serviceAccountName", "agentsmith")]),
    "other account by the old field": (ACCOUNT_RULE, [(f"{POD}/serviceAccount", "agentsmith")]),
    "token": (ACCOUNT_RULE, [(f"{POD}/automountServiceAccountToken", True)]),
    "later deadline": ("has a deadline", [("spec/activeDeadlineSeconds", 7201)]),
    "other Secret": (
        SECRET_RULE,
        [(f"{CONTAINER}/env", [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "b", "key": "c"}}}])],
    ),
    "all of another Secret": (SECRET_RULE, [(f"{CONTAINER}/envFrom", [{"secretRef": {"name": "b"}}])]),
}


# The policy that refuses is v1 in both. Two cases show that it judges what the other one, in v1beta1, has completed.
@pytest.mark.parametrize(
    ("version", "forgery"),
    [*(("v1", forgery) for forgery in FORGED), ("v1beta1", "root"), ("v1beta1", "escalation left open")],
)
def test_a_forged_job_is_refused_by_its_own_rule(
    homes: dict[str, str], spawn: Callable[..., Answer], version: str, forgery: str
) -> None:
    rule, changes = FORGED[forgery]
    status, answer = spawn(homes[version], a_job(*changes))
    assert status == 422, answer
    assert f"ValidatingAdmissionPolicy 'agentsmith-jobs.agentsmith.{homes[version]}'" in answer["message"]
    assert rule in answer["message"]


@pytest.fixture(scope="module")
def newer(rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply) -> dict[str, str]:
    """By the version of MutatingAdmissionPolicy, a namespace with the policies for the app 0.9.2."""
    namespaces = {"v1": "job-command", "v1beta1": "job-command-beta"}
    targets = {
        version: {
            "agentsmith_namespace": namespace,
            "agentsmith_app": "0.9.2",
            "job_policy_mutating_api_version": version,
        }
        for version, namespace in namespaces.items()
    }
    apply([*(body for namespace in namespaces.values() for body in a_namespace(namespace)), *rendered(targets)])
    for namespace in namespaces.values():
        await_policies(spawn, namespace)
    return namespaces


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_job_of_the_app_0_9_2_gets_the_command_that_needs_no_root(
    newer: dict[str, str], spawn: Callable[..., Answer], version: str
) -> None:
    arguments = ["run", "--headless", "--job-id", "0123456789ab", "fix #54 in web"]
    status, job = spawn(newer[version], a_job((f"{CONTAINER}/args", arguments)))
    assert status == 201, job
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["dotnet", "AgentSmith.Host.dll"]
    assert container["args"] == arguments
    assert container["securityContext"] == RESTRICTED
    assert container["volumeMounts"] == [CONFIG_MOUNT]


def test_a_job_may_state_its_command_itself_and_no_other(newer: dict[str, str], spawn: Callable[..., Answer]) -> None:
    command = ["dotnet", "AgentSmith.Host.dll"]
    status, job = spawn(newer["v1"], a_job((f"{CONTAINER}/command", command)))
    assert status == 201, job
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == command
    for other in (["dotnet"], [*command, "--version"], ["sh"], command[::-1]):
        status, answer = spawn(newer["v1"], a_job((f"{CONTAINER}/command", other)))
        assert status == 422, answer
        assert (
            "runs the command dotnet AgentSmith.Host.dll and nothing besides (job_policy_command)" in answer["message"]
        )


def test_a_command_arrives_as_it_was_written(
    rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply
) -> None:
    command = ["/usr/bin/env", "-u", "A'B", 'say "\\x41"', "$(PATH)", "\\"]
    variables = {"agentsmith_namespace": "job-own-command", "job_policy_command": command}
    apply([*a_namespace("job-own-command"), *rendered({"one": variables})])
    await_policies(spawn, "job-own-command")
    status, job = spawn("job-own-command", a_job())
    assert status == 201, job
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == command


def test_jobs_of_others_are_left_alone(home: str, spawn: Callable[..., Answer]) -> None:
    status, job = spawn(home, a_job((f"{CONTAINER}/image", "busybox")), "operator")
    assert status == 201, job
    assert "activeDeadlineSeconds" not in job["spec"]
    assert "volumes" not in job["spec"]["template"]["spec"]


def test_placement_and_pull_secrets(
    rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply
) -> None:
    tolerations = [
        {"key": "agents", "operator": "Equal", "value": "only", "effect": "NoExecute", "tolerationSeconds": 30},
        {"operator": "Exists"},
    ]
    variables = {
        "agentsmith_namespace": "job-placement",
        "job_policy_node_selector": {"workload": "agents", "example.com/zone": "a"},
        "job_policy_tolerations": tolerations,
        "job_policy_image_pull_secrets": ["registry", "mirror"],
        "job_policy_run_as_user": 10001,
        "job_policy_active_deadline_seconds": 600,
        "job_policy_ttl_seconds_after_finished": 3600,
    }
    apply([*a_namespace("job-placement"), *rendered({"one": variables})])
    await_policies(spawn, "job-placement")
    _status, job = spawn("job-placement", a_job())
    pod = job["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", **variables["job_policy_node_selector"]}
    assert pod["tolerations"] == tolerations
    assert pod["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert job["spec"]["activeDeadlineSeconds"] == 600
    assert a_job()["spec"]["ttlSecondsAfterFinished"] == 300, "the app states its own"
    assert job["spec"]["ttlSecondsAfterFinished"] == 3600


def test_proxy_and_authorities(rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply) -> None:
    namespace = "job-proxy"
    variables = {
        "agentsmith_namespace": namespace,
        "job_policy_https_proxy": "http://proxy.internal:3128",
        "job_policy_no_proxy": [".example.internal"],
        "job_policy_ca_config_map": "company-ca",
    }
    apply([*a_namespace(namespace), *rendered({"one": variables})])
    await_policies(spawn, namespace)
    _status, job = spawn(namespace, a_job())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    stated = a_job()["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [entry for entry in container["env"] if entry in stated] == stated
    assert {entry["name"]: entry["value"] for entry in container["env"] if entry not in stated} == {
        "HTTPS_PROXY": "http://proxy.internal:3128",
        "NO_PROXY": "localhost,127.0.0.1,.svc,.cluster.local,.example.internal",
        "SSL_CERT_FILE": "/etc/agentsmith-ca/ca.crt",
    }
    mount = {"name": "agentsmith-ca", "mountPath": "/etc/agentsmith-ca", "readOnly": True}
    assert container["volumeMounts"] == [mount, CONFIG_MOUNT]
    assert {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"]} == {
        "agentsmith-ca": "company-ca",
        "agentsmith-config": "agentsmith-config",
    }
    status, answer = spawn(namespace, a_job(*FORGED["other ConfigMap"][1]))
    assert (status, "agentsmith-config or company-ca" in answer["message"]) == (422, True), answer


def test_two_instances_do_not_collide(
    home: str, rendered: Callable[..., Objects], spawn: Callable[..., Answer], apply: Apply
) -> None:
    other = {
        "agentsmith_namespace": "job-policy-2",
        "agentsmith_instance": "staging",
        "agentsmith_agent_image": "other:1",
        "agentsmith_config_map_name": "other-config",
    }
    apply([*a_namespace("job-policy-2"), *rendered({"two": other})])
    others_job = a_job((f"{CONTAINER}/image", "other:1"))
    await_policies(spawn, "job-policy-2", others_job)
    _status, job = spawn("job-policy-2", others_job)
    assert [volume["configMap"]["name"] for volume in job["spec"]["template"]["spec"]["volumes"]] == ["other-config"]
    status, job = spawn(home, a_job())
    assert status == 201, job
    assert [volume["configMap"]["name"] for volume in job["spec"]["template"]["spec"]["volumes"]] == [
        "agentsmith-config"
    ]
    status, answer = spawn(home, others_job)
    assert (status, f"agentsmith-jobs.agentsmith.{home}" in answer["message"]) == (422, True), answer


def test_a_teardown_takes_the_policies_of_its_instance_alone(
    home: str,
    rendered: Callable[..., Objects],
    apply: Apply,
    control_plane: ControlPlane,
    connection_options: dict[str, Any],
) -> None:
    namespace = "job-policy-gone"
    apply([*a_namespace(namespace), *rendered({"one": {"agentsmith_namespace": namespace}})])
    with Connection(connection_options) as connection:
        Teardown(connection, Owner(namespace, "agentsmith"), TeardownSettings(timeout=60)).execute()
    for kind in POLICY_KINDS:
        resource = f"{kind.lower()}s" if kind.endswith("Binding") else f"{kind.lower().removesuffix('y')}ies"
        policies = control_plane.get(f"/apis/admissionregistration.k8s.io/v1/{resource}")["items"]
        names = {policy["metadata"]["name"] for policy in policies}
        assert f"agentsmith-jobs.agentsmith.{namespace}" not in names
        assert f"agentsmith-jobs.agentsmith.{home}" in names


@pytest.fixture
def verify(connection_options: dict[str, Any]) -> Callable[..., dict[str, Outcome]]:
    """Make the checks of a namespace with its policies: `verify("namespace", objects, api_key="…")` by name."""

    def run(namespace: str, objects: Objects, **options: Any) -> dict[str, Outcome]:
        names = Names(namespace, "agentsmith-secrets", "agentsmith-config", "agentsmith")
        with Connection({**connection_options, **options}) as connection:
            asked = Asked(Target(connection, names, objects), "", "", 0)
            return {outcome.check: outcome for outcome in checks.verify(asked, ["job_policy", "job_admission"])}

    return run


def test_verify_waits_for_the_policies_and_sees_when_one_is_gone(
    control_plane: ControlPlane,
    rendered: Callable[..., Objects],
    apply: Apply,
    verify: Callable[..., dict[str, Outcome]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namespace = "job-policy-verified"
    objects = rendered({"one": {"agentsmith_namespace": namespace}})
    dispatcher = a_deployment(namespace, "agentsmith-dispatcher")
    dispatcher["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "AGENTSMITH_IMAGE", "value": IMAGE}]
    home, *rights = a_namespace(namespace)
    home["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    apply([home, *rights, *objects, dispatcher])
    found = verify(namespace, objects)
    assert {outcome.result for outcome in found.values()} == {"ok"}, found
    assert len(found) == 4

    answer = control_plane.request(
        "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/agentsmith/token", {"spec": {}}
    )
    nobody = verify(namespace, objects, api_key=answer[1]["status"]["token"])
    assert {outcome.result for outcome in nobody.values()} == {"not checked"}, nobody

    (binding,) = [body for body in objects if body["kind"] == "MutatingAdmissionPolicyBinding"]
    apply([binding], state="absent", wait=True)
    monkeypatch.setattr(job_admission_probes, "POLICY_TIMEOUT", 0.0)
    deadline = time.monotonic() + 20
    while (found := verify(namespace, objects))["job_policy_completes"].result == "ok":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert (
        found["job_policy_installed"].evidence
        == f"missing: MutatingAdmissionPolicyBinding {binding['metadata']['name']}"
    )
    assert "ValidatingAdmissionPolicy" in found["job_policy_completes"].evidence
    assert found["job_admission"].result == "not checked"


def test_unchanged_policies_are_not_written(home: str, rendered: Callable[..., Objects], apply: Apply) -> None:
    objects = rendered({"one": {"agentsmith_namespace": home}})
    assert {body["kind"] for body in objects} == POLICY_KINDS
    result = apply(objects)
    assert not result["changed"], json.dumps(result)
    assert result["requests"]["dry_run"] == 0
    assert result["requests"]["write"] == 0
