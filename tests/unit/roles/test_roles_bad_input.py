# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input stops before anything is rendered: with the variable and what is allowed, without the value of a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from required_variables import PIPELINES, PROJECT, SIGNING_SECRET

# host -> (variables, texts that its message must have)
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "namespace-missing": (
        {"agentsmith_namespace": None},
        ["missing required arguments: agentsmith_namespace", "agentsmith_namespace is not set. Allowed: a DNS label"],
    ),
    "namespace-capitals": ({"agentsmith_namespace": "AgentSmith"}, ["agentsmith_namespace is 'AgentSmith'. Allowed"]),
    "namespace-too-long": ({"agentsmith_namespace": "a" * 64}, ["agentsmith_namespace is 'aaaa", "63 characters"]),
    "namespace-of-kubernetes": (
        {"agentsmith_namespace": "kube-system"},
        ["agentsmith_namespace is 'kube-system'. Allowed", "without the prefix kube-"],
    ),
    "namespace-undefined": (
        {"agentsmith_namespace": "{{ no_such_variable }}"},
        ["agentsmith_namespace cannot be read: 'no_such_variable' is undefined"],
    ),
    "instance-spaces": ({"agentsmith_instance": "a b"}, ["namespace_instance is 'a b'. Allowed: a DNS label"]),
    "pod-security-unknown": (
        {"namespace_pod_security_enforce": "strict"},
        ["namespace_pod_security_enforce must be one of: privileged, baseline, restricted, got: strict"],
    ),
    "slack-missing": (
        {"vault_slack_signing_secret": "", "vault_slack_bot_token": None},
        [
            "secrets_slack_signing_secret is empty, so the app would check no signature",
            "secrets_slack_bot_token is empty. Allowed: the Bot User OAuth Token",
            "Its Vault variable is vault_slack_bot_token.",
        ],
    ),
    "slack-blank": (
        {"vault_slack_signing_secret": "   "},
        ["secrets_slack_signing_secret has white space at its beginning or end"],
    ),
    "values-all-at-once": (
        {
            "vault_slack_bot_token": "xapp-MARKED",
            "vault_slack_signing_secret": SIGNING_SECRET.upper(),
            "vault_redis_url": "redis://:MARKED@redis:6379/1",
            "vault_github_token": "MARKED MARKED",
        },
        [
            "secrets_slack_bot_token is the app-level token (xapp-…)",
            "secrets_slack_signing_secret contains upper-case letters",
            "secrets_redis_url is a URL with a database path",
            "secrets_github_token has white space in it",
        ],
    ),
    "redis-url-empty": ({"vault_redis_url": ""}, ["secrets_redis_url is empty"]),
    "token-list": ({"vault_github_token": ["MARKED"]}, ["secrets_github_token is not a string"]),
    "token-number": (
        {"vault_github_token": 271828182845},
        ["secrets_github_token is not a string"],
    ),
    "token-newline": (
        {"vault_github_token": "MARKED\n"},
        ["secrets_github_token ends with a line end"],
    ),
    "token-undefined": (
        {"secrets_github_token": "{{ no_such_variable }}MARKED"},
        [
            "secrets_github_token cannot be read: AnsibleUndefinedVariable (what it says is not shown",
            "Correct its expression",
        ],
    ),
    "token-undefined-in-a-password": (
        {
            "secrets_registries": {
                "registry.example.com": {"username": "x", "password": "{{ vault_registry_password }}"}
            },
            "vault_registry_password": "a{{MARKED}}c",
        },
        ["secrets_registries cannot be read: AnsibleUndefinedVariable (what it says is not shown"],
    ),
    "registry-password-missing": (
        {
            "secrets_registries": {
                "registry.example.com": {"username": "x", "password": "{{ vault_registry_password }}"}
            }
        },
        ["secrets_registries cannot be read: vault_registry_password is not set."],
    ),
    "redis-password-undefined": (
        {"vault_redis_password": "abcdefgh{{MARKED}}ijklmnop"},
        ["vault_redis_password holds {{ or {% and cannot be rendered", "write a value that is none as !unsafe"],
    ),
    "redis-password-comment": (
        {"vault_redis_password": "abcdefghijklmnopq{#MARKED#}"},
        ["vault_redis_password holds {#, with which a comment begins"],
    ),
    "job-policy-no-answer": (
        {"agentsmith_job_policy": "ture"},
        ["the part job_policy is wanted cannot be told", "job_policy_enabled is 'ture'. Allowed: true, false."],
    ),
    "token-filter": (
        {"secrets_github_token": "{{ 'MARKED' | human_to_bytes }}"},
        ["secrets_github_token cannot be read: ", "not shown, as it may quote a secret value"],
    ),
    "vault-undefined": (
        {"vault_redis_url": "cache.example.com:6379,password=a{{MARKED}}c"},
        ["vault_redis_url holds {{ or {% and cannot be rendered", "write a value that is none as !unsafe"],
    ),
    "vault-comment": ({"vault_github_token": "ghp_{#MARKED#}x"}, ["vault_github_token holds {#", "!unsafe"]),
    "extra-json": ({"secrets_extra": '{"a": "MARKED"'}, ["secrets_extra is a text. Allowed: a dictionary"]),
    "extra-text": ({"secrets_extra": "MARKED"}, ["secrets_extra", "dict"]),
    "extra-own-key": ({"secrets_extra": {"github-token": "MARKED"}}, ["secrets_extra does not fit. Allowed: a dict"]),
    "extra-key-shape": ({"secrets_extra": {"a b": "MARKED"}}, ["secrets_extra does not fit"]),
    "extra-number": ({"secrets_extra": {"pin": 271828182845}}, ["secrets_extra does not fit"]),
    "existing-name": ({"secrets_existing_name": "Not_A_Name"}, ["secrets_existing_name is 'Not_A_Name'. Allowed"]),
    "config-missing": ({"config_agentsmith": None}, ["config_agentsmith does not fit. Allowed: exactly one of"]),
    "config-twice": ({"config_file": "agentsmith.yml"}, ["exactly one of config_agentsmith", "and config_file"]),
    "config-text": ({"config_agentsmith": "projects"}, ["config_agentsmith", "dict"]),
    "config-empty": ({"config_agentsmith": {}}, ["config_agentsmith does not fit. Allowed: exactly one of"]),
    "config-no-file": (
        {"config_agentsmith": None, "config_file": "/no/agentsmith.yml"},
        ["/no/agentsmith.yml", "config_file", "does not exist"],
    ),
    "config-errors": (
        {"config_agentsmith": {"projects": {"Web": {**PROJECT, "pipeline": "fax"}}, "pipelines": PIPELINES}},
        ["agentsmith.yml has 2 errors", "hosts.yml:", ": projects.Web.pipeline: ", 'there are: "fix-bug"'],
    ),
    "extra-elsewhere": (
        {
            "extra_objects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "runbook", "namespace": "elsewhere"}}
            ]
        },
        [
            "Object 0 of the part extra is not usable for the target extra-elsewhere: its ConfigMap runbook is in the "
            "namespace elsewhere, the release is in agentsmith"
        ],
    ),
    "extra-object": (
        {"extra_objects": [{"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "MARKED"}}]},
        ["Object 0 of the part extra is not usable for the target extra-object: its Secret has no metadata.name"],
    ),
    "redis-all-at-once": (
        {
            "redis_maxmemory": "lots",
            "redis_image": "Redis 7",
            "redis_maxmemory_policy": "lru",
            "redis_resources": {"requests": {"cpu": "much"}, "limits": {"memory": True}},
            "redis_liveness_probe": {"periodSeconds": -1, "period": 1},
        },
        [
            "redis_maxmemory is 'lots'. Allowed: a whole number of kb, mb or gb, as Redis writes it (256mb).",
            "redis_image is 'Redis 7'. Allowed: an image reference",
            "redis_maxmemory_policy must be one of: noeviction, allkeys-lru",
            "redis_resources.requests.cpu is 'much'. Allowed: a Kubernetes quantity",
            "redis_resources.limits.memory is a boolean",
            "redis_liveness_probe.periodSeconds is '-1'. Allowed: a whole number",
            "periodSeconds, timeoutSeconds",
        ],
    ),
    "redis-elsewhere-unknown": (
        {"redis_enabled": False, "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}]},
        ["secrets_redis_url is empty"],
    ),
    "redis-elsewhere-closed": (
        {"redis_enabled": False, "vault_redis_url": "cache.example.com:6380"},
        ["dispatcher_network_policy_redis_peers does not fit", "where Redis is not the bundled one (redis_enabled)"],
    ),
    "redis-elsewhere-at-another-port": (
        {
            "redis_enabled": False,
            "vault_redis_url": "cache.example.com:6380,password=MARKED:6379,ssl=true",
            "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
        },
        ["dispatcher_network_policy_redis_port does not fit. Allowed: the port in secrets_redis_url (vault_redis_url)"],
    ),
    "redis-elsewhere-at-the-port-of-tls": (
        {
            "redis_enabled": False,
            "vault_redis_url": "cache.example.com,ssl=True,password=MARKED",
            "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
        },
        ["dispatcher_network_policy_redis_port does not fit"],
    ),
    "redis-password-short": (
        {"vault_redis_password": "MARKED"},
        ["redis_password has a form that is not allowed", "16 or more characters", "vault_redis_password"],
    ),
    "redis-password-placeholder": (
        {"vault_redis_password": "PLACEHOLDER-MARKED-4711"},
        ["redis_password has a form that is not allowed"],
    ),
    "redis-password-comma": (
        {"vault_redis_password": "MARKED,MARKED,MARKED"},
        ["secrets_redis_url has text after the password"],
    ),
    "redis-password-elsewhere": (
        {"vault_redis_password": "MARKED-MARKED-MARKED", "vault_redis_url": "redis:6379,password=MARKED"},
        ["secrets_redis_url does not fit. Allowed: one with the password of the bundled Redis"],
    ),
    "redis-too-large": (
        {"redis_maxmemory": "384mb"},
        ["redis_maxmemory does not fit. Allowed: less than the memory limit in redis_resources"],
    ),
    "redis-no-limit": (
        {"redis_resources": {"limits": {"cpu": "1"}}},
        ["redis_resources.limits.memory is not set. Allowed: a whole number of Ki, Mi or Gi"],
    ),
    "account-default": (
        {"agentsmith_service_account_name": "default"},
        ["rbac_service_account_name does not fit. Allowed: a name other than default"],
    ),
    "pull-secret-text": ({"rbac_image_pull_secrets": "good"}, ["rbac_image_pull_secrets is a text. Allowed: a list"]),
    "pull-secret": ({"rbac_image_pull_secrets": ["good", "BAD"]}, ["rbac_image_pull_secrets[1] is 'BAD'"]),
    "dispatcher-all-at-once": (
        {
            "dispatcher_node_port": 8080,
            "dispatcher_service_type": "nodeport",
            "dispatcher_image": "https://registry.example.com/dispatcher",
            "dispatcher_agent_image": "",
            "dispatcher_image_pull_policy": "never",
            "dispatcher_replicas": "two",
        },
        [
            "dispatcher_node_port is '8080'. Allowed: a whole number from 30000 to 32767.",
            "dispatcher_service_type must be one of: ClusterIP, NodePort, LoadBalancer, got: nodeport",
            "dispatcher_image is 'https://registry.example.com/dispatcher'. Allowed: an image reference",
            "dispatcher_agent_image is empty",
            "dispatcher_image_pull_policy must be one of: Always, IfNotPresent, Never",
            "dispatcher_replicas is 'two'. Allowed: a whole number",
        ],
    ),
    "network-all-at-once": (
        {
            "dispatcher_network_policy_except": ["169.254.169.254", "fd00::/129"],
            "dispatcher_network_policy_redis_port": 0,
            "dispatcher_network_policy_api_server_port": 65536,
        },
        [
            "dispatcher_network_policy_except[0] is '169.254.169.254'. Allowed: a CIDR",
            "dispatcher_network_policy_except[1] is 'fd00::/129'",
            "dispatcher_network_policy_redis_port is '0'. Allowed: a whole number from 1 to 65535",
            "dispatcher_network_policy_api_server_port is '65536'",
        ],
    ),
    "network-redis-elsewhere": (
        {"dispatcher_network_policy_redis_peers": []},
        ["dispatcher_network_policy_redis_peers does not fit. Allowed: a list that is not empty"],
    ),
    "network-no-policies-and-default-deny": (
        {"dispatcher_network_policy_enabled": False},
        ["dispatcher_network_policy_enabled does not fit. Allowed: `true` where namespace_default_deny is true"],
    ),
    "network-no-policy-of-redis-and-default-deny": (
        {"redis_network_policy_enabled": False},
        ["redis_network_policy_enabled does not fit. Allowed: `true` where namespace_default_deny is true"],
    ),
    # Which does not open the way of the Dispatcher
    "network-a-policy-for-another": (
        {
            "dispatcher_network_policy_enabled": False,
            "extra_objects": [
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {"name": "other", "namespace": "agentsmith"},
                    "spec": {"podSelector": {"matchLabels": {"app": "other"}}},
                }
            ],
        },
        ["dispatcher_network_policy_enabled does not fit"],
    ),
    "quota-all-at-once": (
        {"quota_jobs": "many", "quota_job_requests": {"cpu": "some"}, "quota_hard": {"pods": "few"}},
        [
            "quota_jobs is 'many'. Allowed: a whole number",
            "quota_job_requests.cpu is 'some'. Allowed: a Kubernetes quantity",
            "missing required arguments: memory",
            "quota_hard.pods is 'few'",
        ],
    ),
    "quota-fewer-objects": ({"quota_job_objects": 9}, ["quota_job_objects does not fit. Allowed: at least quota_jobs"]),
    "quota-nothing-to-add-up": ({"quota_objects": []}, ["quota_hard does not fit", "Run the playbook without --tags"]),
    "dispatcher-env-twice": (
        {"dispatcher_extra_env": [{"name": "REDIS_URL", "value": "elsewhere"}]},
        ["dispatcher_extra_env does not fit. Allowed: variables that the role does not set itself"],
    ),
    "images-that-move": (
        {"agentsmith_image_pinning": "tag", "redis_image": "registry.example.com:5000/redis"},
        [
            "redis_image is 'registry.example.com:5000/redis'. Allowed: an image reference with a tag other",
        ],
    ),
    "images-latest": (
        {"agentsmith_image_pinning": "tag"},
        [
            "dispatcher_image is 'agentsmith-dispatcher:latest'. Allowed: an image reference with a tag other",
            "dispatcher_agent_image is 'agentsmith:latest'. Allowed",
        ],
    ),
    "images-without-digest": (
        {"agentsmith_image_pinning": "digest", "agentsmith_version": "1.2.0"},
        ["dispatcher_image is 'agentsmith-dispatcher:1.2.0'. Allowed: an image reference with a digest"],
    ),
    "images-pinning": (
        {"agentsmith_image_pinning": "yes"},
        ["redis_image_pinning must be one of: any, tag, digest"],
    ),
    "images-of-two-releases": (
        {"agentsmith_version": "1.2.0", "dispatcher_agent_image": "registry.example.com/agentsmith:1.2.01"},
        ["dispatcher_agent_image does not fit. Allowed: images of one release", "agentsmith_version"],
    ),
    "dispatcher-options": (
        {
            "dispatcher_container_port": 80,
            "dispatcher_jira_url": "jira.example.com",
            "dispatcher_owner_slack_user_id": "@me",
            "dispatcher_https_proxy": "http://MARKED@proxy:3128",
            "dispatcher_ca_bundle": "-----BEGIN PRIVATE KEY-----MARKED",
            "dispatcher_priority_class_name": "Very High",
        },
        [
            "dispatcher_container_port is '80'. Allowed: a whole number from 1024 to 65535",
            "dispatcher_jira_url is 'jira.example.com'. Allowed: an https:// or http:// address",
            "dispatcher_owner_slack_user_id is '@me'. Allowed: the ID of a member",
            "dispatcher_https_proxy has a form that is not allowed",
            "dispatcher_ca_bundle has a form that is not allowed",
            "dispatcher_priority_class_name is 'Very High'",
        ],
    ),
    "redis-own-label": (
        {"redis_pod_labels": {"app": "x"}},
        ["redis_pod_labels does not fit. Allowed: labels"],
    ),
    "namespace-own-label": (
        {"namespace_labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        ["namespace_labels does not fit. Allowed: labels other than"],
    ),
    "dispatcher-additions": (
        {
            "dispatcher_ca_bundle": "-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----",
            "dispatcher_ca_config_map_name": "ca",
            "dispatcher_pod_labels": {"app.kubernetes.io/name": "x"},
            "dispatcher_extra_volumes": [{"name": "token", "emptyDir": {}}],
            "dispatcher_gitlab_url": "https://gitlab.example.com",
            "dispatcher_extra_env": [{"name": "GITLAB_URL", "value": "x"}],
        },
        [
            "dispatcher_ca_bundle does not fit. Allowed: one of dispatcher_ca_bundle and dispatcher_ca_config_map_name",
            "dispatcher_pod_labels does not fit",
            "dispatcher_extra_volumes does not fit",
            "dispatcher_extra_env does not fit",
        ],
    ),
    "rbac-profile": ({"rbac_profile": "all"}, ["rbac_profile must be one of: minimal, phase19, sandbox"]),
    "app-unknown": (
        {"agentsmith_app": "0.9.1"},
        ["the option app (agentsmith_app; config_app of the role config) is '0.9.1'. Allowed: be4bffa1 or \"0.9.2\""],
    ),
    "app-number": ({"agentsmith_app": 0.9}, ["(agentsmith_app; config_app of the role config) is a fraction"]),
    "app-empty": ({"agentsmith_app": ""}, ["(agentsmith_app; config_app of the role config) is empty"]),
    "app-of-one-role": (
        {"dispatcher_app": "latest"},
        ["dispatcher_app is 'latest'. Allowed: be4bffa1 or \"0.9.2\" as a text (agentsmith_app)"],
    ),
    "app-without-policies": (
        {"agentsmith_app": "0.9.2"},
        ["dispatcher_app does not fit. Allowed: 0.9.2 with agentsmith_job_policy: true only"],
    ),
    "app-with-policies-switched-off": (
        {"agentsmith_app": "0.9.2", "agentsmith_job_policy": True, "job_policy_enabled": False},
        ["dispatcher_app does not fit. Allowed: 0.9.2 with agentsmith_job_policy: true only"],
    ),
    "app-of-the-image": (
        {"dispatcher_image": "registry.example.com/agent-smith-dispatcher:0.9.2@sha256:" + 64 * "1"},
        ["dispatcher_app does not fit. Allowed: 0.9.2 with upstream's own images"],
    ),
    "app-of-the-agent": (
        {"agentsmith_agent_image": "docker.io/holgerleichsenring/agent-smith"},
        ["dispatcher_app does not fit. Allowed: 0.9.2 with upstream's own images"],
    ),
    "app-in-development": (
        {
            "agentsmith_app": "0.9.2",
            "agentsmith_job_policy": True,
            "dispatcher_aspnetcore_environment": "development",
            "dispatcher_extra_env": [{"name": "ANTHROPIC_API_KEY", "value": "MARKED"}],
        },
        ["dispatcher_aspnetcore_environment does not fit. Allowed: another", "dispatcher_extra_env does not fit"],
    ),
    "environment-of-asp-net": (
        {"dispatcher_aspnetcore_environment": "Pro duction"},
        ["dispatcher_aspnetcore_environment is 'Pro duction'. Allowed: the name of an environment"],
    ),
    "log-level-twice": (
        {"dispatcher_extra_env": [{"name": "LOGGING__LogLevel__microsoft.aspnetcore", "value": "Debug"}]},
        ["dispatcher_extra_env does not fit. Allowed: other levels of logs than those that the role sets"],
    ),
    "log-level-with-colons": (
        {"dispatcher_extra_env": [{"name": "Logging:LogLevel:System.Net.Http.HttpClient", "value": "Debug"}]},
        ["dispatcher_extra_env does not fit. Allowed: other levels of logs than those that the role sets"],
    ),
    "asp-net-twice": (
        {"dispatcher_extra_env": [{"name": "aspnetcore_urls", "value": "http://+:9000"}]},
        ["dispatcher_extra_env does not fit. Allowed: other levels of logs than those that the role sets"],
    ),
    "asp-net-environment-twice": (
        {"dispatcher_extra_env": [{"name": "AspNetCore_Environment", "value": "Development"}]},
        ["dispatcher_extra_env does not fit. Allowed: other levels of logs than those that the role sets"],
    ),
    "proxy-twice": (
        {
            "dispatcher_https_proxy": "http://proxy:3128",
            "dispatcher_extra_env": [{"name": "https_proxy", "value": "http://MARKED"}],
        },
        ["dispatcher_extra_env does not fit. Allowed: variables that the role does not set itself"],
    ),
    "no-proxy-twice": (
        {
            "dispatcher_no_proxy": ["tracker"],
            "dispatcher_extra_env": [{"name": "no_proxy", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}],
        },
        ["dispatcher_extra_env does not fit. Allowed: variables that the role does not set itself"],
    ),
    "log-base-url-with-a-password": (
        {"dispatcher_log_base_url": "https://me:MARKED@logs.example.com/jobs"},
        ["dispatcher_log_base_url has a form that is not allowed", "without user and password"],
    ),
    "anthropic-twice": (
        {
            "dispatcher_anthropic_api_key": True,
            "dispatcher_extra_env": [{"name": "ANTHROPIC_API_KEY", "value": "MARKED"}],
        },
        ["dispatcher_extra_env does not fit. Allowed: variables that the role does not set itself"],
    ),
    "no-proxy-all-at-once": (
        {"dispatcher_no_proxy": ["10.0.0.0/8", "*", "*.example.com", "proxy:3128", "fd00::7", "a,b", ""]},
        [
            "dispatcher_no_proxy[0] is '10.0.0.0/8'. Allowed: a name, with a leading dot for all below it, or a single",
            *(f"dispatcher_no_proxy[{index}] is " for index in range(1, 7)),
        ],
    ),
    "no-proxy-of-ones-own": (
        {"dispatcher_extra_env": [{"name": "no_proxy", "value": "localhost, 10.0.0.0/8"}]},
        ["dispatcher_extra_env does not fit. Allowed: names and single addresses as NO_PROXY"],
    ),
    "no-proxy-of-ones-own-for-everything": (
        {"dispatcher_extra_env": [{"name": "NO_PROXY", "value": "*"}]},
        ["dispatcher_extra_env does not fit. Allowed: names and single addresses as NO_PROXY"],
    ),
    "no-proxy-of-ones-own-with-a-port": (
        {"dispatcher_extra_env": [{"name": "NO_PROXY", "value": "localhost,tracker:8080"}]},
        ["dispatcher_extra_env does not fit. Allowed: names and single addresses as NO_PROXY"],
    ),
    "no-proxy-of-ones-own-without-brackets": (
        {"dispatcher_extra_env": [{"name": "no_proxy", "value": "fd00::7"}]},
        ["dispatcher_extra_env does not fit. Allowed: names and single addresses as NO_PROXY"],
    ),
    "job-policy-networks": (
        {
            "agentsmith_job_policy": True,
            "job_policy_no_proxy": ["172.16.0.0/12"],
            "job_policy_command": ["dotnet", "", "Ünicode"],
        },
        [
            "job_policy_no_proxy[0] is '172.16.0.0/12'. Allowed: a name",
            "job_policy_command[1] is empty. Allowed: a text of printable ASCII",
            "job_policy_command[2] is 'Ünicode'",
        ],
    ),
    "job-policy-all-at-once": (
        {
            "agentsmith_job_policy": True,
            "job_policy_mutating_api_version": "v2",
            "job_policy_secret_name": 'a" || "" == "',
            "job_policy_config_map_name": "A",
            "job_policy_run_as_user": 0,
            "job_policy_active_deadline_seconds": "1h",
            "job_policy_ttl_seconds_after_finished": 59,
            "job_policy_https_proxy": "http://MARKED@proxy:3128",
            "job_policy_ca_config_map": "A",
            "job_policy_image_pull_secrets": ["a b"],
            "job_policy_node_selector": {"zone": 'a"'},
            "job_policy_tolerations": [{"effect": "Never"}, {"image": "a"}],
        },
        [
            "job_policy_mutating_api_version must be one of: v1, v1beta1, got: v2",
            "job_policy_active_deadline_seconds",
            "job_policy_ttl_seconds_after_finished is '59'. Allowed: a whole number from 60 to 86400",
            "effect must be one of: NoSchedule, PreferNoSchedule, NoExecute",
            "image",
            'job_policy_secret_name is \'a" || "" == "\'. Allowed: a DNS name',
            "job_policy_config_map_name is 'A'. Allowed: a DNS name",
            "job_policy_run_as_user is '0'. Allowed: a whole number from 1 to 2147483647",
            "job_policy_https_proxy has a form that is not allowed",
            "job_policy_ca_config_map is 'A'. Allowed: the name of a ConfigMap",
            "job_policy_image_pull_secrets[0] is 'a b'",
            "job_policy_node_selector.zone is 'a\"'. Allowed: the value of a label",
        ],
    ),
    "job-policy-number": (
        {"agentsmith_job_policy": True, "job_policy_node_selector": {"zone": 1}},
        ["job_policy_node_selector.zone is a number. Allowed: the value of a label, a text"],
    ),
    "run-as-root": (
        {"agentsmith_run_as_user": 0, "agentsmith_run_as_group": 2147483648, "agentsmith_fs_group": "root"},
        [
            "redis_run_as_user is '0'. Allowed: a whole number from 1 to 2147483647, or an empty text",
            "redis_run_as_group is '2147483648'. Allowed",
            "redis_fs_group is 'root'. Allowed",
        ],
    ),
    "node-selector-boolean": (
        {"redis_node_selector": {"spot": True}},
        ["redis_node_selector.spot is a boolean. Allowed: the value of a label, a text"],
    ),
    "jobs-as-the-dispatcher": (
        {"agentsmith_job_policy": True, "agentsmith_job_service_account_name": "agentsmith"},
        ["rbac_job_service_account_name does not fit. Allowed: a name other than that of the Dispatcher's"],
    ),
    "job-account-without-policies": (
        {"agentsmith_job_service_account_name": "jobs"},
        ["rbac_job_service_account_name does not fit. Allowed: default, unless agentsmith_job_policy is true"],
    ),
    "job-policy-command-number": (
        {"agentsmith_job_policy": True, "job_policy_command": ["sleep", 5]},
        ["job_policy_command[1] is a number. Allowed: a text: put it in quotes"],
    ),
    "job-policy-command-list": (
        {"agentsmith_job_policy": True, "job_policy_command": [["dotnet", "AgentSmith.Host.dll"]]},
        ["job_policy_command[0] is a list. Allowed: a text: put it in quotes"],
    ),
    "dispatcher-env-number": (
        {"dispatcher_extra_env": [{"name": "RETRIES", "value": 5}]},
        ["dispatcher_extra_env[0].value is a number. Allowed: a text: put it in quotes"],
    ),
    # As YAML reads 0123456, 1.10, yes and a date
    "version-octal": ({"agentsmith_version": 42798}, ["agentsmith_version is a number. Allowed: a text: put it in"]),
    "version-fraction": ({"agentsmith_version": 1.1}, ["agentsmith_version is a fraction. Allowed: a text"]),
    "version-computed": ({"agentsmith_version": "{{ 40 + 2 }}"}, ["agentsmith_version is a number. Allowed: a text"]),
    "registry-boolean": ({"agentsmith_registry": True}, ["agentsmith_registry is a boolean. Allowed: a text"]),
    "context-date": ({"agentsmith_context": date(2026, 1, 1)}, ["agentsmith_context is a date. Allowed: a text"]),
    "text-option": (
        {"dispatcher_tls_issuer": {"name": 12}, "dispatcher_pod_annotations": {"a": True}},
        ["dispatcher_tls_issuer.name is a number", "dispatcher_pod_annotations.a is a boolean. Allowed: a text"],
    ),
    "redis-tolerations": (
        {"redis_tolerations": [{"key": "a", "value": True}], "redis_pod_labels": {"a": 1}},
        ["redis_tolerations[0].value is a boolean", "redis_pod_labels.a is a number"],
    ),
    "object-number": (
        {
            "extra_objects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": 271828182845}}
            ]
        },
        ["Object 0 of the part extra", "in its ConfigMap x, data.a is a number. Allowed: a text"],
    ),
}


# It knows no target; Ansible names it
SAID_BY_THE_CONFIG_CHECK = ("config-errors", "config-no-file", "app-unknown", "app-number", "app-empty")

# Addresses of Redis beside the port that its NetworkPolicy opens
SOUND_REDIS: dict[str, dict[str, Any]] = {
    "redis-two-ports": {"vault_redis_url": "[fd00::1]:6380,b.example.com:6379,name=a:1"},
    "redis-port-of-the-library": {"vault_redis_url": "cache.example.com"},
    "redis-address-of-ipv6": {"vault_redis_url": "fd00::5"},
    "redis-tls-port-of-the-library": {
        "vault_redis_url": "cache.example.com,ssl=True",
        "dispatcher_network_policy_redis_port": 6380,
    },
    "redis-url-with-tls": {
        "vault_redis_url": "rediss://:MARKED@cache.example.com:6390",
        "dispatcher_network_policy_redis_port": "6390",
    },
    # The sentinel names the port
    "redis-behind-a-sentinel": {"vault_redis_url": "sentinel.example.com:26379,serviceName=main"},
    "redis-without-policies": {
        "vault_redis_url": "a:1",
        "dispatcher_network_policy_enabled": False,
        "namespace_default_deny": False,
    },
    "redis-in-a-secret-of-others": {"vault_redis_url": "a:1", "secrets_existing_name": "others"},
}


def _own_policy(api: str, kind: str, selector: str) -> dict[str, Any]:
    spec = {selector: {"matchLabels": {"app": "agentsmith-dispatcher"}}, "egress": [{}]}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "own", "namespace": "agentsmith"}, "spec": spec}


SOUND_POLICIES: dict[str, dict[str, Any]] = {
    name: {"dispatcher_network_policy_enabled": False, "extra_objects": [policy]}
    for name, policy in {
        "own-policy": _own_policy("networking.k8s.io/v1", "NetworkPolicy", "podSelector"),
        "own-policy-of-cilium": _own_policy("cilium.io/v2", "CiliumNetworkPolicy", "endpointSelector"),
    }.items()
} | {
    "external-redis-has-no-policy": {
        "redis_enabled": False,
        "redis_network_policy_enabled": False,
        "vault_redis_url": "redis.example.com:6379",
        "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
    }
}


@pytest.fixture(scope="module")
def run(render: Callable[..., Any]) -> Any:
    """All cases, and one sound target, at the highest verbosity."""
    cases = {host: variables for host, (variables, _texts) in CASES.items()}
    return render({**cases, "sound": {}, **SOUND_REDIS, **SOUND_POLICIES}, "-vvvv", templates=True)


@pytest.mark.parametrize("host", CASES)
def test_message_names_the_variable_and_what_is_allowed(run: Any, host: str) -> None:
    message = run.failures[host]
    assert host in message or host in SAID_BY_THE_CONFIG_CHECK
    for text in CASES[host][1]:
        assert text in message


def test_a_sound_target_is_not_held_up(run: Any) -> None:
    assert run.objects.keys() == {"sound", *SOUND_REDIS, *SOUND_POLICIES}


def test_no_output_has_the_value_of_a_secret(run: Any) -> None:
    assert "MARKED" not in run.output
    assert SIGNING_SECRET not in run.output.lower()
    assert "271828182845" not in run.output
    assert "TUFSS0VE" not in run.output  # base64 of MARKED
