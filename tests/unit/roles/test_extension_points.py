# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody's own cluster needs of the pods: where they run, what they carry, whom they trust, which images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

DISPATCHER = "Deployment/agentsmith-dispatcher"
DIGEST = "sha256:" + "a" * 64
TOLERATION = {"key": "dedicated", "value": "agentsmith", "effect": "NoSchedule"}
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
VOLUME = {"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}
SECRET_PROXY = {
    "name": "HTTPS_PROXY",
    "valueFrom": {"secretKeyRef": {"name": "agentsmith-secrets", "key": "https-proxy"}},
}
BUNDLE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def objects(render: Callable[..., Any]) -> dict[str, Any]:
    run = render(
        {
            "everything": {
                "dispatcher_replicas": 2,
                "dispatcher_container_port": 8081,
                "dispatcher_topology_spread_constraints": [
                    {"topologyKey": "kubernetes.io/hostname"},
                    {"topologyKey": "zone", "maxSkew": "2", "whenUnsatisfiable": "DoNotSchedule"},
                ],
                **{
                    f"{part}_{option}": value
                    for part in ("dispatcher", "redis")
                    for option, value in {
                        "priority_class_name": "critical",
                        "node_selector": {"pool": "a"},
                        "tolerations": [TOLERATION],
                        "affinity": AFFINITY,
                    }.items()
                },
                "dispatcher_host_aliases": [{"ip": "10.0.0.7", "hostnames": ["proxy.internal"]}],
                **{
                    f"{part}_{option}": value
                    for part in ("dispatcher", "redis")
                    for option, value in {
                        "pod_labels": {"team": "a", "cost": "12"},
                        "pod_annotations": {"safe-to-evict": "false"},
                    }.items()
                },
                "namespace_labels": {"team": "a", "cost": "12", "pod-security.kubernetes.io/enforce-version": "v1.32"},
                "rbac_service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"},
                "dispatcher_service_annotations": {"lb": "internal"},
                "dispatcher_extra_volumes": [VOLUME],
                "dispatcher_extra_volume_mounts": [{"name": "cache", "mountPath": "/cache"}],
                "dispatcher_gitlab_url": "https://gitlab.example.com",
                "dispatcher_jira_url": "https://jira.example.com/jira",
                "dispatcher_owner_slack_user_id": "U012AB3CD",
                "dispatcher_log_base_url": "https://logs.example.com",
                "dispatcher_https_proxy": "http://proxy.internal:3128",
                "dispatcher_no_proxy": [".example.internal"],
                "dispatcher_ca_bundle": BUNDLE,
                "agentsmith_registry": "registry.example.com:5000/mirror",
                "agentsmith_version": "0.4.1",
                "agentsmith_image_pinning": "tag",
                "agentsmith_job_policy": True,
                "rbac_profile": "sandbox",
            },
            "other": {
                "dispatcher_replicas": 2,
                "dispatcher_pod_disruption_budget": False,
                "dispatcher_ca_config_map_name": "company-ca",
                "agentsmith_version": "0.4.1",
                "agentsmith_image_pinning": "digest",
                "dispatcher_image": f"registry.example.com/dispatcher@{DIGEST}",
                "agentsmith_agent_image": f"registry.example.com:5000/agentsmith:0.4.1-team-a@{DIGEST}",
                "rbac_profile": "phase19",
            },
            "autoscaled": {"dispatcher_replicas": ""},
            "other-bundle": {"dispatcher_ca_bundle": BUNDLE + BUNDLE},
            "secret-proxy": {"dispatcher_extra_env": [SECRET_PROXY], "dispatcher_no_proxy": [".example.internal"]},
            "no-proxy": {
                "dispatcher_no_proxy": [".example.internal"],
                "agentsmith_job_policy": True,
                "job_policy_no_proxy": [".example.internal"],
            },
            "proxies-of-ones-own": {"dispatcher_extra_env": [SECRET_PROXY, {"name": "NO_PROXY", "value": "10.0.0.1"}]},
        }
    )
    assert not run.failures
    return run.objects


def test_a_number_of_replicas_can_be_left_to_an_autoscaler(objects: dict[str, Any]) -> None:
    assert objects["everything"][DISPATCHER]["spec"]["replicas"] == 2
    assert "replicas" not in objects["autoscaled"][DISPATCHER]["spec"]


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    return deployment["spec"]["template"]["spec"]["containers"][0]


def values(deployment: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(deployment)["env"] if "value" in entry}


@pytest.mark.parametrize("deployment", [DISPATCHER, "Deployment/redis"])
def test_pods_go_where_they_are_told(objects: dict[str, Any], deployment: str) -> None:
    pod = objects["everything"][deployment]["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "critical"
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "pool": "a"}
    assert pod["tolerations"] == [TOLERATION]
    assert pod["affinity"] == AFFINITY


def test_replicas_are_kept_apart_and_drained_one_by_one(objects: dict[str, Any]) -> None:
    constraints = objects["everything"][DISPATCHER]["spec"]["template"]["spec"]["topologySpreadConstraints"]
    selects = {
        "labelSelector": {"matchLabels": {"app": "agentsmith-dispatcher"}},
        "matchLabelKeys": ["pod-template-hash"],
    }
    assert constraints == [
        {"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", **selects},
        {"topologyKey": "zone", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule", **selects},
    ]
    budget = objects["everything"]["PodDisruptionBudget/agentsmith-dispatcher"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == {"matchLabels": {"app": "agentsmith-dispatcher"}}
    assert "PodDisruptionBudget/agentsmith-dispatcher" not in objects["other"]
    assert "PodDisruptionBudget/agentsmith-dispatcher" not in objects["other-bundle"], "one replica needs none"


@pytest.mark.parametrize(("deployment", "app"), [(DISPATCHER, "agentsmith-dispatcher"), ("Deployment/redis", "redis")])
def test_pods_are_labelled_and_annotated(objects: dict[str, Any], deployment: str, app: str) -> None:
    metadata = objects["everything"][deployment]["spec"]["template"]["metadata"]
    assert {"team": "a", "cost": "12", "app": app}.items() <= metadata["labels"].items()
    assert metadata["annotations"] == {"safe-to-evict": "false"}


def test_the_namespace_is_labelled(objects: dict[str, Any]) -> None:
    labels = objects["everything"]["Namespace/agentsmith"]["metadata"]["labels"]
    own = objects["other-bundle"]["Namespace/agentsmith"]["metadata"]["labels"]
    added = {"team": "a", "cost": "12", "pod-security.kubernetes.io/enforce-version": "v1.32"}
    assert labels == {**own, **added, "pod-security.kubernetes.io/enforce": "restricted"}


def test_the_account_of_the_dispatcher_alone_has_an_identity_in_the_cloud(objects: dict[str, Any]) -> None:
    accounts = {name: body for name, body in objects["everything"].items() if body["kind"] == "ServiceAccount"}
    assert {name: body["metadata"].get("annotations") for name, body in accounts.items()} == {
        "ServiceAccount/agentsmith": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"},
        "ServiceAccount/default": None,
        "ServiceAccount/redis": None,
    }


def test_pods_carry_what_is_added(objects: dict[str, Any]) -> None:
    template = objects["everything"][DISPATCHER]["spec"]["template"]
    assert template["spec"]["hostAliases"] == [{"ip": "10.0.0.7", "hostnames": ["proxy.internal"]}]
    assert VOLUME in template["spec"]["volumes"]
    assert {"name": "cache", "mountPath": "/cache"} in container(objects["everything"][DISPATCHER])["volumeMounts"]
    assert objects["everything"]["Service/agentsmith-dispatcher"]["metadata"]["annotations"] == {"lb": "internal"}


def test_one_port_is_listened_on_served_and_probed(objects: dict[str, Any]) -> None:
    dispatcher = container(objects["everything"][DISPATCHER])
    assert values(objects["everything"][DISPATCHER])["ASPNETCORE_URLS"] == "http://+:8081"
    assert dispatcher["ports"] == [{"name": "http", "containerPort": 8081, "protocol": "TCP"}]
    assert {dispatcher[f"{probe}Probe"]["httpGet"]["port"] for probe in ("liveness", "readiness")} == {8081}


def test_addresses_reach_the_app_and_an_empty_one_does_not(objects: dict[str, Any]) -> None:
    variables = values(objects["everything"][DISPATCHER])
    assert variables["GITLAB_URL"] == "https://gitlab.example.com"
    assert variables["JIRA_URL"] == "https://jira.example.com/jira"
    assert variables["OWNER_SLACK_USER_ID"] == "U012AB3CD"
    assert variables["LOG_BASE_URL"] == "https://logs.example.com"
    assert variables["HTTPS_PROXY"] == "http://proxy.internal:3128"
    own = {"$(KUBERNETES_SERVICE_HOST)", "[$(KUBERNETES_SERVICE_HOST)]", ".svc", ".example.internal"}
    assert own <= set(variables["NO_PROXY"].split(","))
    for host in ("secret-proxy", "no-proxy"):
        assert values(objects[host][DISPATCHER])["NO_PROXY"] == variables["NO_PROXY"]
    (policy,) = [body for name, body in objects["no-proxy"].items() if name.startswith("MutatingAdmissionPolicy/")]
    assert "localhost,127.0.0.1,.svc,.cluster.local,.example.internal" in str(policy)
    assert values(objects["proxies-of-ones-own"][DISPATCHER])["NO_PROXY"] == "10.0.0.1"
    assert not values(objects["other"][DISPATCHER]).keys() & {"GITLAB_URL", "JIRA_URL", "HTTPS_PROXY", "NO_PROXY"}


def bundle_of(release: dict[str, Any]) -> tuple[str, str]:
    """The ConfigMap with the authorities that the pods mount, and the file that the app is told of."""
    deployment = release[DISPATCHER]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(deployment)["volumeMounts"]}
    (name,) = [
        volume["configMap"]["name"]
        for volume in deployment["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "ca"
    ]
    assert values(deployment)["SSL_CERT_FILE"] == f"{mounts['ca']}/ca.crt"
    return name, values(deployment)["SSL_CERT_FILE"]


def test_own_authorities_are_trusted_and_a_changed_bundle_rolls_the_pods(objects: dict[str, Any]) -> None:
    name, _file = bundle_of(objects["everything"])
    assert objects["everything"][f"ConfigMap/{name}"]["data"] == {"ca.crt": BUNDLE}
    assert bundle_of(objects["other-bundle"])[0] != name
    assert bundle_of(objects["other"])[0] == "company-ca"
    assert [key for key in objects["other"] if key.startswith("ConfigMap/")] == ["ConfigMap/agentsmith-config"]


def test_one_registry_and_one_version_make_up_the_images(objects: dict[str, Any]) -> None:
    mirror = "registry.example.com:5000/mirror"
    release = objects["everything"]
    assert container(release[DISPATCHER])["image"] == f"{mirror}/agentsmith-dispatcher:0.4.1"
    assert values(release[DISPATCHER])["AGENTSMITH_IMAGE"] == f"{mirror}/agentsmith:0.4.1"
    policies = [str(item["spec"]) for item in release.values() if item["kind"] == "ValidatingAdmissionPolicy"]
    assert any(f"{mirror}/agentsmith:0.4.1" in policy for policy in policies), "what is spawned is what may be spawned"
    assert container(release["Deployment/redis"])["image"].startswith(f"{mirror}/redis:7-alpine@sha256:")
    assert values(objects["other"][DISPATCHER])["AGENTSMITH_IMAGE"].startswith(
        "registry.example.com:5000/agentsmith:0.4.1-"
    )


def test_the_role_has_a_profile(objects: dict[str, Any]) -> None:
    phase19 = objects["other"]["Role/agentsmith-job-manager"]["rules"]
    assert phase19 == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete", "get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    ]
    sandbox = objects["everything"]["Role/agentsmith-job-manager"]["rules"]
    assert {"apiGroups": [""], "resources": ["pods/log", "pods/status"], "verbs": ["get"]} in sandbox


def test_a_variable_that_is_a_roles_own_is_not_for_inventories(render):
    """`vars/main.yml` of a role wins over an inventory, as in a play with that role."""
    run = render({"own": {"__rbac_rules": {"minimal": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}}})
    rules = run.objects["own"]["Role/agentsmith-job-manager"]["rules"]
    assert rules == [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]
