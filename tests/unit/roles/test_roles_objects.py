# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered objects: the seed's names, labels, ports, limits and arguments, with its mistakes corrected."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import KEYS
from required_variables import PIPELINES, PROJECT, SIGNING_SECRET

# Texts that mean something to YAML, JSON, Jinja or a shell, and characters that JSON and YAML escape in different ways
HOSTILE = [
    'quote " and \' and \\ and \\" end',
    "two\nlines: {a: 1}\n---\nkind: Namespace\n",
    *("*alias", "&anchor", "!!python/object:os.system", "# comment", "- item", "key: value", "%TAG", "@at", "| block"),
    *("yes", "null", "~", "0123", "1e3", "2026-01-01", "", " spaces ", "\ttab\t"),
    *("\\ud83d\\ude00", "\\\\ud83d\\ude00", "emoji \U0001f600\U0001f680 end"),
    *("\u2028 \u2029 \x85 \x7f \xa0 \ufeff", "$(id) ${HOME} `id`", "{{ 7 * 7 }} {% if %} {# gone #}"),
]


REDIS_PASSWORD = "canary-pa=ss_Word#4711"  # with all that a configuration string and an ACL file could misread

CONFIG_FILE = (
    "# A comment, {{ 7 * 7 }}, and white space that stays\n\n"
    + yaml.safe_dump({"pipelines": PIPELINES, "projects": {"web": PROJECT}})
    + "\n\n"
)


RUNBOOK = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "runbook", "namespace": "team-a"},
    "data": {"url": "{{ 7 * 7 }}"},
}


@pytest.fixture(scope="module")
def rendered(render: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bare minimum, everything set, hostile texts, optional objects left out, and what comes from elsewhere."""
    config_file = tmp_path_factory.mktemp("config") / "agentsmith.yml"
    config_file.write_text(CONFIG_FILE)
    return render(
        {
            "minimum": {},
            "everything": {
                "agentsmith_namespace": "team-a",
                "agentsmith_instance": "smith-a",
                "agentsmith_secret_name": "other-secrets",
                "agentsmith_config_map_name": "other-config",
                "agentsmith_service_account_name": "other-account",
                **{f"vault_{key.replace('-', '_')}": f"value-of-{key}" for key in KEYS},
                "vault_slack_bot_token": "xoxb-1",
                "vault_slack_signing_secret": SIGNING_SECRET,
                "vault_redis_url": "cache.example.com:6380,password=a:b=,ssl=true",
                "dispatcher_network_policy_redis_port": "6380",
                "secrets_extra": {"owner-slack-user-id": "U1", "empty": ""},
                "redis_image": "registry.example.com:5000/mirror/redis:7",
                "redis_image_pull_policy": "Never",
                "redis_maxmemory": "1gb",
                "redis_maxmemory_policy": "noeviction",
                "redis_resources": {"limits": {"memory": "2Gi"}},
                "redis_readiness_probe": {"periodSeconds": "1"},
                "rbac_image_pull_secrets": ["registry-a", "registry-b"],
                "dispatcher_image": "registry.example.com/dispatcher@sha256:" + "a" * 64,
                "dispatcher_agent_image": "localhost/agent:1.2-rc_1",
                "dispatcher_image_pull_policy": "Never",
                "dispatcher_replicas": "2",
                "quota_jobs": "3",
                "dispatcher_service_type": "NodePort",
                "dispatcher_node_port": "30123",
                "dispatcher_extra_env": [{"name": "LOG_BASE_URL", "value": "https://logs.example.com"}],
                "extra_objects": [RUNBOOK],
            },
            "hostile": {
                "secrets_extra": {f"key-{number}": text for number, text in enumerate(HOSTILE)},
                "dispatcher_extra_env": [
                    {"name": f"TEXT_{number}", "value": text} for number, text in enumerate(HOSTILE)
                ],
                # A key that the app ignores may hold anything, but no placeholder
                "config_agentsmith": {
                    "projects": {"web": PROJECT},
                    "notes": [text for text in HOSTILE if "${" not in text],
                    "pipelines": PIPELINES,
                },
            },
            "job-policy": {
                "agentsmith_namespace": "n" * 63,
                "agentsmith_instance": "i" * 63,
                "agentsmith_job_policy": "yes",
                "dispatcher_agent_image": "localhost/agent:1",
                "job_policy_mutating_api_version": "v1beta1",
                "job_policy_node_selector": {"zone": "a", "empty": ""},
                "job_policy_tolerations": [
                    {"key": "b", "value": "1", "tolerationSeconds": "30"},
                    {"operator": "Exists"},
                ],
            },
            "long-jobs": {"agentsmith_job_policy": True, "job_policy_ttl_seconds_after_finished": 3600},
            "long-jobs-without-policies": {"job_policy_ttl_seconds_after_finished": 3600},
            "optional": {
                "namespace_create": False,
                "namespace_default_deny": False,
                "redis_network_policy_enabled": False,
                "dispatcher_network_policy_enabled": False,
                "quota_enabled": False,
                "quota_limit_range_enabled": False,
                "rbac_own_default_service_account": "no",
                "rbac_image_pull_secrets": ["registry-a"],
                "dispatcher_service_type": "LoadBalancer",
                "vault_redis_url": "rediss://u:p%40%3D@cache.example.com:6380",
                "secrets_immutable": "yes",
            },
            "file": {"config_agentsmith": None, "config_file": str(config_file), "agentsmith_job_policy": True},
            "password": {"vault_redis_password": REDIS_PASSWORD},
            "left-to-the-cluster": {
                "agentsmith_run_as_user": "",
                "agentsmith_run_as_group": "",
                "agentsmith_fs_group": "",
                "agentsmith_job_policy": True,
                "agentsmith_job_service_account_name": "jobs",
                "rbac_image_pull_secrets": ["registry-a"],
                "redis_service_account_name": "bus",
                "vault_redis_password": REDIS_PASSWORD,
            },
            "numbers-of-the-cluster": {
                "agentsmith_run_as_user": 1000650000,
                "agentsmith_run_as_group": "1000650001",
                "agentsmith_fs_group": 2147483647,
                "agentsmith_job_policy": True,
                "dispatcher_node_selector": {"kubernetes.io/os": "windows"},
                "redis_service_account_name": "default",
            },
            "elsewhere": {
                "redis_enabled": False,
                "vault_redis_url": f"cache.example.com:6380,password={REDIS_PASSWORD},ssl=true",
                "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
                "dispatcher_network_policy_redis_port": 6380,
            },
            # Its values are not used, and may be what they like
            "existing": {"secrets_existing_name": "external", "vault_slack_bot_token": "xapp-", "vault_redis_url": ""},
        }
    )


@pytest.fixture
def minimum(rendered: Any) -> dict[str, dict[str, Any]]:
    return rendered.objects["minimum"]


@pytest.fixture
def everything(rendered: Any) -> dict[str, dict[str, Any]]:
    return rendered.objects["everything"]


def test_an_object_of_one_s_own_is_labelled_as_the_others(everything: Any) -> None:
    runbook = everything["ConfigMap/runbook"]
    assert runbook["data"] == RUNBOOK["data"]
    assert runbook["metadata"]["labels"] == {
        "app.kubernetes.io/name": "runbook",
        "app.kubernetes.io/instance": "smith-a",
        "app.kubernetes.io/component": "extra",
        "app.kubernetes.io/part-of": "agentsmith",
        "app.kubernetes.io/managed-by": "agentsmith.platform",
    }


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    return deployment["spec"]["template"]["spec"]


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(deployment)["containers"]
    return only


def env(deployment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in container(deployment)["env"]}


def decoded(secret: dict[str, Any]) -> dict[str, str]:
    assert "stringData" not in secret
    return {key: base64.b64decode(value, validate=True).decode() for key, value in secret["data"].items()}


def test_the_release_is_the_objects_of_the_seed(rendered: Any) -> None:
    assert not rendered.failures
    assert sorted(rendered.objects["minimum"]) == [
        "ConfigMap/agentsmith-config",
        "Deployment/agentsmith-dispatcher",
        "Deployment/redis",
        "LimitRange/agentsmith",
        "Namespace/agentsmith",
        "NetworkPolicy/agentsmith-dispatcher",
        "NetworkPolicy/agentsmith-jobs",
        "NetworkPolicy/default-deny",
        "NetworkPolicy/redis",
        "ResourceQuota/agentsmith",
        "Role/agentsmith-job-manager",
        "RoleBinding/agentsmith-job-manager",
        "Secret/agentsmith-secrets",
        "Service/agentsmith-dispatcher",
        "Service/redis",
        "ServiceAccount/agentsmith",
        "ServiceAccount/default",
        "ServiceAccount/redis",
    ]


def test_optional_objects_can_be_left_out(rendered: Any) -> None:
    missing = rendered.objects["minimum"].keys() - rendered.objects["optional"].keys()
    assert missing == {
        "LimitRange/agentsmith",
        "Namespace/agentsmith",
        "NetworkPolicy/agentsmith-dispatcher",
        "NetworkPolicy/agentsmith-jobs",
        "NetworkPolicy/default-deny",
        "NetworkPolicy/redis",
        "ResourceQuota/agentsmith",
        "ServiceAccount/default",
    }


def test_every_object_and_pod_template_is_labelled(everything: dict[str, Any]) -> None:
    components = {
        "Namespace/team-a": "namespace",
        "Secret/other-secrets": "secrets",
        "ConfigMap/other-config": "config",
        "Deployment/redis": "redis",
        "Service/redis": "redis",
        "ServiceAccount/other-account": "rbac",
        "ServiceAccount/default": "rbac",
        "ServiceAccount/redis": "redis",
        "Role/agentsmith-job-manager": "rbac",
        "RoleBinding/agentsmith-job-manager": "rbac",
        "Deployment/agentsmith-dispatcher": "dispatcher",
        "Service/agentsmith-dispatcher": "dispatcher",
        "PodDisruptionBudget/agentsmith-dispatcher": "dispatcher",
        "NetworkPolicy/default-deny": "namespace",
        "NetworkPolicy/redis": "redis",
        "NetworkPolicy/agentsmith-dispatcher": "dispatcher",
        "NetworkPolicy/agentsmith-jobs": "dispatcher",
        "ResourceQuota/agentsmith": "quota",
        "LimitRange/agentsmith": "quota",
        "ConfigMap/runbook": "extra",
    }
    assert everything.keys() == components.keys()
    for identity, manifest in everything.items():
        expected = {
            "app.kubernetes.io/name": identity.partition("/")[2],
            "app.kubernetes.io/instance": "smith-a",
            "app.kubernetes.io/component": components[identity],
            "app.kubernetes.io/part-of": "agentsmith",
            "app.kubernetes.io/managed-by": "agentsmith.platform",
        }
        assert expected.items() <= manifest["metadata"]["labels"].items()
        if manifest["kind"] == "Deployment":
            assert expected.items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == "team-a"


def test_namespace(minimum: dict[str, Any]) -> None:
    labels = minimum["Namespace/agentsmith"]["metadata"]["labels"]
    levels = {key.partition("/")[2]: value for key, value in labels.items() if key.startswith("pod-security")}
    assert levels == {"enforce": "baseline", "audit": "restricted", "warn": "restricted"}


def test_namespace_enforces_restricted_where_the_jobs_are_completed(rendered: Any) -> None:
    labels = rendered.objects["file"]["Namespace/agentsmith"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_quota_has_room_for_the_release_and_ten_jobs(minimum: dict[str, Any]) -> None:
    quota = minimum["ResourceQuota/agentsmith"]
    assert quota["metadata"]["annotations"] == {"agentsmith.platform/jobs": "10"}
    assert quota["spec"]["hard"] == {
        "requests.cpu": f"{2 * 100 + 100 + 10 * 250}m",
        "requests.memory": f"{2 * 256 + 128 + 10 * 512}Mi",
        "pods": str(2 + 1 + 10),
        "count/jobs.batch": "100",
    }


def test_quota_has_room_for_jobs_that_stay_longer(rendered: Any) -> None:
    quotas = {host: objects["ResourceQuota/agentsmith"]["spec"]["hard"] for host, objects in rendered.objects.items()
              if host.startswith("long-jobs")}  # fmt: skip
    assert {host: hard["count/jobs.batch"] for host, hard in quotas.items()} == {
        "long-jobs": str(100 + 10 * 3300 // 300),
        "long-jobs-without-policies": "100",
    }


def test_quota_follows_the_replicas_and_resources(everything: dict[str, Any]) -> None:
    quota = everything["ResourceQuota/agentsmith"]
    assert quota["metadata"]["annotations"] == {"agentsmith.platform/jobs": "3"}
    assert quota["spec"]["hard"] == {
        # Redis states a limit of memory only, so its CPU is the LimitRange's default
        "requests.cpu": f"{4 * 100 + 100 + 3 * 250}m",
        "requests.memory": f"{4 * 256 + 2048 + 3 * 512}Mi",
        "pods": str(4 + 1 + 3),
        "count/jobs.batch": "100",
    }


def test_limit_range_is_for_containers_that_state_nothing(minimum: dict[str, Any]) -> None:
    assert minimum["LimitRange/agentsmith"]["spec"]["limits"] == [
        {
            "type": "Container",
            "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
            "default": {"cpu": "500m", "memory": "512Mi"},
        }
    ]


def test_secret_has_the_keys_with_a_value_only(minimum: dict[str, Any]) -> None:
    secret = minimum["Secret/agentsmith-secrets"]
    assert secret["type"] == "Opaque"
    assert decoded(secret) == {
        "slack-bot-token": "xoxb-MARKED-bot",
        "slack-signing-secret": SIGNING_SECRET,
        "redis-url": "redis:6379,abortConnect=false",
    }


def test_secret_takes_every_key_from_its_vault_variable(everything: dict[str, Any]) -> None:
    values = decoded(everything["Secret/other-secrets"])
    assert values.keys() == set(KEYS) | {"owner-slack-user-id"}
    assert values["redis-url"] == "cache.example.com:6380,password=a:b=,ssl=true"
    assert values["owner-slack-user-id"] == "U1"
    for key in set(KEYS) - {"slack-bot-token", "slack-signing-secret", "redis-url"}:
        assert values[key] == f"value-of-{key}"


def test_config_map_is_the_configuration_in_its_order(rendered: Any) -> None:
    data = rendered.objects["hostile"]["ConfigMap/agentsmith-config"]["data"]
    assert data.keys() == {"agentsmith.yml"}
    config = yaml.safe_load(data["agentsmith.yml"])
    assert list(config) == ["projects", "notes", "pipelines"]
    assert config["notes"] == [text for text in HOSTILE if "${" not in text]
    assert config["projects"] == {"web": PROJECT}


def test_config_map_is_the_file_as_it_is(rendered: Any) -> None:
    data = rendered.objects["file"]["ConfigMap/agentsmith-config"]["data"]
    assert data == {"agentsmith.yml": CONFIG_FILE}


def test_a_secret_that_others_make_is_not_rendered_and_referred_to(rendered: Any) -> None:
    objects = rendered.objects["existing"]
    assert not [identity for identity in objects if identity.startswith("Secret/")]
    variables = env(objects["Deployment/agentsmith-dispatcher"])
    assert variables["K8S_SECRET_NAME"]["value"] == "external"
    sources = [variable["valueFrom"] for variable in variables.values() if "valueFrom" in variable]
    assert {source["secretKeyRef"]["name"] for source in sources if "secretKeyRef" in source} == {"external"}


def test_redis_url_is_converted(rendered: Any) -> None:
    values = decoded(rendered.objects["optional"]["Secret/agentsmith-secrets"])
    assert values["redis-url"] == "cache.example.com:6380,user=u,password=p@=,ssl=true,abortConnect=false"


def test_secret_can_be_immutable(rendered: Any) -> None:
    assert rendered.objects["optional"]["Secret/agentsmith-secrets"]["immutable"] is True
    assert "immutable" not in rendered.objects["minimum"]["Secret/agentsmith-secrets"]


def test_no_text_leaves_its_place(rendered: Any) -> None:
    objects = rendered.objects["hostile"]
    values = decoded(objects["Secret/agentsmith-secrets"])
    variables = env(objects["Deployment/agentsmith-dispatcher"])
    for number, text in enumerate(HOSTILE):
        assert values.get(f"key-{number}", "") == text
        assert variables[f"TEXT_{number}"] == {"name": f"TEXT_{number}", "value": text}


@pytest.mark.parametrize("name", ["redis", "agentsmith-dispatcher"])
def test_pods_pass_pod_security_restricted(minimum: dict[str, Any], name: str) -> None:
    deployment = minimum[f"Deployment/{name}"]
    context = pod(deployment)["securityContext"]
    assert context == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(deployment)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(deployment)["automountServiceAccountToken"] is False
    assert pod(deployment)["enableServiceLinks"] is False
    volumes = {volume["name"]: volume for volume in pod(deployment)["volumes"]}
    writable = {mount["mountPath"] for mount in container(deployment)["volumeMounts"] if not mount.get("readOnly")}
    assert writable == ({"/tmp", "/data"} if name == "redis" else {"/tmp"})  # noqa: S108
    for mount in container(deployment)["volumeMounts"]:
        if mount["mountPath"] in writable:
            assert volumes[mount["name"]]["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("name", ["redis", "agentsmith-dispatcher"])
def test_selectors_find_the_pods(minimum: dict[str, Any], name: str) -> None:
    deployment, service = minimum[f"Deployment/{name}"], minimum[f"Service/{name}"]
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": name}}
    assert service["spec"]["selector"] == {"app": name}
    assert deployment["spec"]["template"]["metadata"]["labels"]["app"] == name
    assert deployment["spec"]["replicas"] == 1


def test_redis_deployment(minimum: dict[str, Any]) -> None:
    deployment = minimum["Deployment/redis"]
    redis = container(deployment)
    assert redis["name"] == "redis"
    assert redis["image"].startswith("redis:7-alpine@sha256:")
    assert redis["imagePullPolicy"] == "IfNotPresent"
    assert redis["args"] == [
        "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru", "--save", "",
        "--appendonly", "no", "--protected-mode", "no",
    ]  # fmt: skip
    assert redis["ports"] == [{"name": "redis", "containerPort": 6379, "protocol": "TCP"}]
    assert redis["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "500m", "memory": "384Mi", "ephemeral-storage": "256Mi"},
    }
    ping = {"exec": {"command": ["redis-cli", "ping"]}, "timeoutSeconds": 3}
    assert redis["livenessProbe"] == {**ping, "initialDelaySeconds": 10, "periodSeconds": 15}
    assert redis["readinessProbe"] == {**ping, "initialDelaySeconds": 5, "periodSeconds": 10}
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_redis_variables(everything: dict[str, Any]) -> None:
    redis = container(everything["Deployment/redis"])
    assert redis["image"] == "registry.example.com:5000/mirror/redis:7"
    assert redis["imagePullPolicy"] == "Never"
    assert redis["args"][:4] == ["--maxmemory", "1gb", "--maxmemory-policy", "noeviction"]
    assert redis["resources"] == {"limits": {"memory": "2Gi"}}
    assert redis["readinessProbe"] == {"exec": {"command": ["redis-cli", "ping"]}, "periodSeconds": 1}


def test_redis_password_is_in_the_address_and_as_a_hash_with_redis(rendered: Any) -> None:
    objects = rendered.objects["password"]
    assert decoded(objects["Secret/agentsmith-secrets"])["redis-url"] == (
        f"redis:6379,user=agentsmith,password={REDIS_PASSWORD},abortConnect=false"
    )
    users = decoded(objects["Secret/redis-acl"])["users.acl"].splitlines()
    digest = hashlib.sha256(REDIS_PASSWORD.encode()).hexdigest()
    assert users == [
        "user default on nopass resetkeys resetchannels -@all +ping",
        f"user agentsmith on #{digest} ~* &* +@all",
    ]
    redis = container(objects["Deployment/redis"])
    assert redis["args"][-2:] == ["--aclfile", "/etc/redis-acl/users.acl"]
    assert {"name": "acl", "mountPath": "/etc/redis-acl", "readOnly": True} in redis["volumeMounts"]
    (volume,) = [entry for entry in pod(objects["Deployment/redis"])["volumes"] if entry["name"] == "acl"]
    # Owner and group of the pod, and nobody else
    assert volume["secret"] == {"secretName": "redis-acl", "defaultMode": 0o440}


def test_redis_password_is_in_no_other_object(rendered: Any) -> None:
    for host in ("password", "elsewhere"):
        others = {name: body for name, body in rendered.objects[host].items() if not name.startswith("Secret/")}
        assert REDIS_PASSWORD not in str(others)
    assert REDIS_PASSWORD not in rendered.output


def test_redis_without_a_password_has_no_users(minimum: dict[str, Any]) -> None:
    assert "Secret/redis-acl" not in minimum
    assert "--aclfile" not in container(minimum["Deployment/redis"])["args"]


def test_redis_can_be_elsewhere(rendered: Any) -> None:
    objects = rendered.objects["elsewhere"]
    assert not [name for name in objects if name.endswith("/redis")]
    for name in ("agentsmith-dispatcher", "agentsmith-jobs"):
        egress = objects[f"NetworkPolicy/{name}"]["spec"]["egress"]
        assert {
            "ports": [{"protocol": "TCP", "port": 6380}],
            "to": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
        } in egress
    quota = objects["ResourceQuota/agentsmith"]["spec"]["hard"]
    assert quota["pods"] == str(2 + 10)


def test_redis_service(minimum: dict[str, Any]) -> None:
    spec = minimum["Service/redis"]["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["ports"] == [{"name": "redis", "port": 6379, "targetPort": 6379, "protocol": "TCP"}]


def test_role(minimum: dict[str, Any]) -> None:
    assert minimum["Role/agentsmith-job-manager"]["rules"] == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}
    ]


def test_role_binding(everything: dict[str, Any]) -> None:
    binding = everything["RoleBinding/agentsmith-job-manager"]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": "agentsmith-job-manager",
    }
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "other-account", "namespace": "team-a"}]


@pytest.mark.parametrize("name", ["other-account", "default"])
def test_service_accounts(everything: dict[str, Any], name: str) -> None:
    account = everything[f"ServiceAccount/{name}"]
    assert account["automountServiceAccountToken"] is False
    assert account["imagePullSecrets"] == [{"name": "registry-a"}, {"name": "registry-b"}]


def test_redis_pulls_its_image_whoever_owns_its_service_account(rendered: Any, minimum: dict[str, Any]) -> None:
    objects = rendered.objects["optional"]
    assert "ServiceAccount/default" not in objects
    assert objects["Deployment/redis"]["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry-a"}]
    assert "imagePullSecrets" not in minimum["Deployment/redis"]["spec"]["template"]["spec"]


def test_service_accounts_without_pull_secrets(minimum: dict[str, Any]) -> None:
    assert "imagePullSecrets" not in minimum["ServiceAccount/agentsmith"]
    assert "imagePullSecrets" not in minimum["ServiceAccount/default"]


def test_policies_for_jobs_are_rendered_only_where_wanted(rendered: Any) -> None:
    name = f"agentsmith-jobs.{'i' * 63}.{'n' * 63}"
    versions = {
        f"MutatingAdmissionPolicy/{name}": "v1beta1",
        f"MutatingAdmissionPolicyBinding/{name}": "v1beta1",
        f"ValidatingAdmissionPolicy/{name}": "v1",
        f"ValidatingAdmissionPolicyBinding/{name}": "v1",
    }
    found = {key: body for key, body in rendered.objects["job-policy"].items() if "Admission" in key}
    assert {key: body["apiVersion"] for key, body in found.items()} == {
        key: f"admissionregistration.k8s.io/{version}" for key, version in versions.items()
    }
    assert {body["metadata"]["labels"]["app.kubernetes.io/name"] for body in found.values()} == {"agentsmith-jobs"}
    for host in ("minimum", "everything", "optional"):
        assert not [key for key in rendered.objects[host] if "Admission" in key]


def test_policies_for_jobs_allow_the_image_that_the_dispatcher_spawns(rendered: Any) -> None:
    objects = rendered.objects["job-policy"]
    (policy,) = (body for key, body in objects.items() if key.startswith("ValidatingAdmissionPolicy/"))
    assert 'container.image == "localhost/agent:1"' in str(policy["spec"]["validations"])


def test_what_policies_for_jobs_place(rendered: Any) -> None:
    objects = rendered.objects["job-policy"]
    (policy,) = (body for key, body in objects.items() if key.startswith("MutatingAdmissionPolicy/"))
    patch = policy["spec"]["mutations"][1]["jsonPatch"]["expression"]
    assert 'value: {"kubernetes.io/os": "linux", "zone": "a", "empty": ""}' in " ".join(patch.split())
    assert [" ".join(text.split()) for text in patch.split("tolerations{")[1:]][0].startswith(
        'key: "b", value: "1", tolerationSeconds: 30 }'
    )
    assert patch.count("tolerations/-") == 2


@pytest.mark.parametrize("name", ["redis", "agentsmith-dispatcher"])
def test_who_pods_run_as_is_left_to_the_cluster_or_set(rendered: Any, name: str) -> None:
    kept = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    left = rendered.objects["left-to-the-cluster"][f"Deployment/{name}"]
    assert pod(left)["securityContext"] == kept
    numbers = {"runAsUser": 1000650000, "runAsGroup": 1000650001, "fsGroup": 2147483647}
    given = rendered.objects["numbers-of-the-cluster"][f"Deployment/{name}"]
    assert pod(given)["securityContext"] == {**kept, **numbers}


def test_without_a_group_of_its_volumes_redis_reads_its_users_nevertheless(rendered: Any) -> None:
    def mode(target: str) -> Any:
        volumes = pod(rendered.objects[target]["Deployment/redis"])["volumes"]
        return next(volume["secret"]["defaultMode"] for volume in volumes if volume["name"] == "acl")

    assert mode("password") == 0o440
    assert mode("left-to-the-cluster") == 0o444


def test_jobs_run_as_whom_the_pods_run_as(rendered: Any) -> None:
    def expression(target: str) -> str:
        objects = rendered.objects[target]
        (policy,) = (body for key, body in objects.items() if key.startswith("MutatingAdmissionPolicy/"))
        return str(policy["spec"]["mutations"][0]["applyConfiguration"]["expression"])

    left = expression("left-to-the-cluster")
    assert not [field for field in ("runAsUser", "runAsGroup", "fsGroup") if field in left]
    assert "runAsNonRoot" in left
    assert 'serviceAccountName.orValue("jobs")' in left
    given = expression("numbers-of-the-cluster")
    assert "?runAsUser.orValue(1000650000)" in given
    assert "?runAsGroup.orValue(1000650001)" in given
    assert "?fsGroup.orValue(2147483647)" in given


def test_every_pod_has_a_service_account_of_its_own(rendered: Any, minimum: dict[str, Any]) -> None:
    assert pod(minimum["Deployment/redis"])["serviceAccountName"] == "redis"
    objects = rendered.objects["left-to-the-cluster"]
    assert pod(objects["Deployment/redis"])["serviceAccountName"] == "bus"
    accounts = {key: body for key, body in objects.items() if body["kind"] == "ServiceAccount"}
    assert accounts.keys() == {f"ServiceAccount/{name}" for name in ("agentsmith", "default", "jobs", "bus")}
    assert {body["automountServiceAccountToken"] for body in accounts.values()} == {False}
    assert accounts["ServiceAccount/jobs"]["imagePullSecrets"] == [{"name": "registry-a"}]
    # One that is everybody's is made by no part but rbac
    assert "ServiceAccount/redis" not in rendered.objects["numbers-of-the-cluster"]


def test_pods_run_on_linux_unless_the_inventory_says_otherwise(rendered: Any, minimum: dict[str, Any]) -> None:
    assert pod(minimum["Deployment/redis"])["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert pod(minimum["Deployment/agentsmith-dispatcher"])["nodeSelector"] == {"kubernetes.io/os": "linux"}
    other = rendered.objects["numbers-of-the-cluster"]["Deployment/agentsmith-dispatcher"]
    assert pod(other)["nodeSelector"] == {"kubernetes.io/os": "windows"}


def test_dispatcher_deployment(minimum: dict[str, Any]) -> None:
    deployment = minimum["Deployment/agentsmith-dispatcher"]
    dispatcher = container(deployment)
    assert pod(deployment)["serviceAccountName"] == "agentsmith"
    assert dispatcher["name"] == "dispatcher"
    assert dispatcher["image"] == "agentsmith-dispatcher:latest"
    assert dispatcher["imagePullPolicy"] == "IfNotPresent"
    assert dispatcher["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    assert dispatcher["resources"] == {
        "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "256Mi"},
    }
    health = {"httpGet": {"path": "/health", "port": 8080}, "failureThreshold": 3}
    assert dispatcher["livenessProbe"] == {
        **health, "initialDelaySeconds": 15, "periodSeconds": 30, "timeoutSeconds": 5,
    }  # fmt: skip
    assert dispatcher["readinessProbe"] == {
        **health, "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 3,
    }  # fmt: skip


def test_dispatcher_rolls_without_a_gap(minimum: dict[str, Any]) -> None:
    deployment = minimum["Deployment/agentsmith-dispatcher"]
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    pause = container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < pause < pod(deployment)["terminationGracePeriodSeconds"]


def test_dispatcher_environment(minimum: dict[str, Any]) -> None:
    variables = env(minimum["Deployment/agentsmith-dispatcher"])
    assert {name: variable["value"] for name, variable in variables.items() if "value" in variable} == {
        "ASPNETCORE_URLS": "http://+:8080",
        "ASPNETCORE_ENVIRONMENT": "Production",
        "DOTNET_EnableDiagnostics": "0",
        "AGENTSMITH_IMAGE": "agentsmith:latest",
        "IMAGE_PULL_POLICY": "IfNotPresent",
        "K8S_SECRET_NAME": "agentsmith-secrets",
        # The texts of messages, and twelve lines for every probe, stay out of the log
        "Logging__LogLevel__Microsoft.AspNetCore": "Warning",
        "Logging__LogLevel__System.Net.Http.HttpClient": "Warning",
        "Logging__LogLevel__AgentSmith.Dispatcher.SlackEvents": "Warning",
        "Logging__LogLevel__AgentSmith.Dispatcher.Services.ChatIntentParser": "Warning",
    }
    sources = {name: variable["valueFrom"] for name, variable in variables.items() if "valueFrom" in variable}
    assert sources.pop("K8S_NAMESPACE") == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert all(source["secretKeyRef"].pop("name") == "agentsmith-secrets" for source in sources.values())
    assert {name: source["secretKeyRef"] for name, source in sources.items()} == {
        "REDIS_URL": {"key": "redis-url"},
        "SLACK_BOT_TOKEN": {"key": "slack-bot-token"},
        "SLACK_SIGNING_SECRET": {"key": "slack-signing-secret"},
        "GITHUB_TOKEN": {"key": "github-token", "optional": True},
        "AZURE_DEVOPS_TOKEN": {"key": "azure-devops-token", "optional": True},
        "GITLAB_TOKEN": {"key": "gitlab-token", "optional": True},
        "JIRA_EMAIL": {"key": "jira-email", "optional": True},
        "JIRA_TOKEN": {"key": "jira-token", "optional": True},
    }


def test_dispatcher_volumes(minimum: dict[str, Any]) -> None:
    deployment = minimum["Deployment/agentsmith-dispatcher"]
    volumes = {volume["name"]: volume for volume in pod(deployment)["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container(deployment)["volumeMounts"]}
    assert mounts["/app/config"]["readOnly"] is True
    assert "subPath" not in mounts["/app/config"]
    assert volumes[mounts["/app/config"]["name"]]["configMap"] == {"name": "agentsmith-config"}
    token = mounts["/var/run/secrets/kubernetes.io/serviceaccount"]
    assert token["readOnly"] is True
    files = volumes[token["name"]]["projected"]["sources"]
    assert files == [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]


def test_dispatcher_variables(everything: dict[str, Any]) -> None:
    deployment = everything["Deployment/agentsmith-dispatcher"]
    variables = env(deployment)
    assert deployment["spec"]["replicas"] == 2
    assert pod(deployment)["serviceAccountName"] == "other-account"
    assert container(deployment)["image"] == "registry.example.com/dispatcher@sha256:" + "a" * 64
    assert container(deployment)["imagePullPolicy"] == "Never"
    assert variables["AGENTSMITH_IMAGE"]["value"] == "localhost/agent:1.2-rc_1"
    assert variables["IMAGE_PULL_POLICY"]["value"] == "Never"
    assert variables["K8S_SECRET_NAME"]["value"] == "other-secrets"
    assert variables["REDIS_URL"]["valueFrom"]["secretKeyRef"]["name"] == "other-secrets"
    assert variables["LOG_BASE_URL"]["value"] == "https://logs.example.com"
    assert {"name": "config", "configMap": {"name": "other-config"}} in pod(deployment)["volumes"]


@pytest.mark.parametrize(
    ("host", "service_type", "port"),
    [
        ("minimum", "ClusterIP", {}),
        ("everything", "NodePort", {"nodePort": 30123}),
        ("optional", "LoadBalancer", {}),
    ],
)
def test_dispatcher_service(rendered: Any, host: str, service_type: str, port: dict[str, int]) -> None:
    spec = rendered.objects[host]["Service/agentsmith-dispatcher"]["spec"]
    assert spec["type"] == service_type
    assert spec["ports"] == [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", **port}]


def test_a_tag_renders_one_part(render: Callable[..., Any]) -> None:
    objects = render({"one": {}}, "--tags", "redis").objects["one"]
    assert objects.keys() == {"Deployment/redis", "NetworkPolicy/redis", "Service/redis", "ServiceAccount/redis"}
