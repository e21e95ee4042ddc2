# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables of the inventory decide what keeps a pod from running: Kubernetes names its own fields only."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..objects.labels import COMPONENT_LABEL, EXTRA_COMPONENT, labels_of
from .diagnosis import Cause
from .foreign_fields import told_fields_of_others
from .names import CONTAINERS, DISPATCHER, QUOTA, REDIS
from .pod import status_of_container
from .spawned_jobs import CONTAINER, is_of_spawned_job

JOBS = "jobs"
_NAMED = 3  # objects that a line about what to do names
_EXIT_CODES_OF_IMAGE = (126, 127, 128)  # its command cannot be started (exit_codes)

# What the variables of a part are called, by what they decide. A part has no variable for what is left out.
_OWN_VARIABLES: Mapping[str, Mapping[str, str]] = {
    "dispatcher": {
        "image": "dispatcher_image, or agentsmith_registry and agentsmith_version if you do not set it",
        "pull_policy": "dispatcher_image_pull_policy",
        "pull_secrets": "rbac_image_pull_secrets",
        "resources": "dispatcher_resources",
        "node_selector": "dispatcher_node_selector",
        "affinity": "dispatcher_affinity",
        "tolerations": "dispatcher_tolerations",
        "spread": "dispatcher_topology_spread_constraints",
        "user": "agentsmith_run_as_user (dispatcher_run_as_user)",
        "liveness_probe": "dispatcher_liveness_probe",
        "environment": "dispatcher_extra_env, and the Vault variables",
        "volumes": "dispatcher_extra_volumes",
        "service_account": "agentsmith_service_account_name",
        "priority_class": "dispatcher_priority_class_name",
        "secrets": "secrets_existing_name, agentsmith_secret_name, dispatcher_extra_env or dispatcher_extra_volumes",
        "config_maps": (
            "agentsmith_config_map_name, dispatcher_ca_config_map_name, dispatcher_extra_env or "
            "dispatcher_extra_volumes"
        ),
        "pod_security": "agentsmith_run_as_user, dispatcher_extra_volumes and namespace_pod_security_enforce",
    },
    "redis": {
        "image": "redis_image, or agentsmith_registry if you do not set it",
        "pull_policy": "redis_image_pull_policy",
        "pull_secrets": "rbac_image_pull_secrets (redis_image_pull_secrets)",
        "resources": "redis_resources",
        "node_selector": "redis_node_selector",
        "affinity": "redis_affinity",
        "tolerations": "redis_tolerations",
        "user": "agentsmith_run_as_user (redis_run_as_user)",
        "liveness_probe": "redis_liveness_probe",
        "service_account": "redis_service_account_name",
        "priority_class": "redis_priority_class_name",
        "secrets": "redis_password (vault_redis_password)",
        "pod_security": "agentsmith_run_as_user and namespace_pod_security_enforce",
    },
    JOBS: {
        "image": "agentsmith_agent_image, or agentsmith_registry and agentsmith_version if you do not set it",
        "pull_policy": "dispatcher_image_pull_policy",
        "pull_secrets": "rbac_image_pull_secrets (job_policy_image_pull_secrets)",
        "node_selector": "job_policy_node_selector",
        "tolerations": "job_policy_tolerations",
        "user": "agentsmith_run_as_user (job_policy_run_as_user)",
        "service_account": "agentsmith_job_service_account_name",
        "secrets": "secrets_existing_name or agentsmith_secret_name",
        "config_maps": "agentsmith_config_map_name or job_policy_ca_config_map",
        "deadline": "job_policy_active_deadline_seconds",
        "pod_security": (
            "agentsmith_job_policy, which gives Jobs what Pod Security asks for, and namespace_pod_security_enforce"
        ),
    },
}
# Of an object that the inventory gives whole, its own fields
_FIELDS = {
    "image": "image",
    "pull_policy": "imagePullPolicy",
    "pull_secrets": "imagePullSecrets",
    "resources": "resources",
    "node_selector": "nodeSelector",
    "affinity": "affinity",
    "tolerations": "tolerations",
    "spread": "topologySpreadConstraints",
    "user": "securityContext.runAsUser",
    "liveness_probe": "livenessProbe",
    "environment": "env",
    "volumes": "volumes",
    "service_account": "serviceAccountName",
    "priority_class": "priorityClassName",
    "secrets": "the reference to it",
    "config_maps": "the reference to it",
    "pod_security": "securityContext",
    "deadline": "activeDeadlineSeconds",
}
VARIABLES: Mapping[str, Mapping[str, str]] = {
    **_OWN_VARIABLES,
    EXTRA_COMPONENT: {what: f"{field} in extra_objects" for what, field in _FIELDS.items()},
}


@dataclass(frozen=True)
class Rule:
    """What to do about a message. ``text`` may use the names of VARIABLES, and the groups of the pattern."""

    pattern: str
    text: str


# Of what a node, or the registry that it asks, says about an image. The first that matches counts.
_IMAGE_RULES = (
    Rule(
        "no such host|dial tcp|i/o timeout|connection refused|network is unreachable|deadline exceeded|proxyconnect",
        "The node does not reach the registry. Check the registry in {image}, and the network of the node.",
    ),
    Rule(
        "x509:|server gave HTTP response to HTTPS client|tls:",
        "The node does not trust the registry, which is a setting of its container runtime. For another registry, "
        "change {image}.",
    ),
    Rule(
        "toomanyrequests|429 Too Many|rate limit",
        "The registry limits how often it is pulled from. Check {pull_secrets} for an account with a higher limit, or "
        "set agentsmith_registry to a mirror.",
    ),
    Rule(
        r"Unable to retrieve some image pull secrets \((?P<name>[^)]+)\)",
        "The namespace does not have the Secrets {name}. Make them (secrets_registries makes one), or correct "
        "{pull_secrets}.",
    ),
    Rule(
        "401 Unauthorized|403 Forbidden|unauthorized|forbidden|denied|no basic auth|authentication required|"
        "insufficient_scope|failed to authorize",
        "The registry refuses the node: it wants other credentials, or has no such image. Check {pull_secrets} for the "
        "Secrets with credentials (secrets_registries makes one), and {image}.",
    ),
    Rule(
        "no match for platform",
        "The image has no build for the node's processor. Choose other nodes with {node_selector}, or change {image}.",
    ),
    Rule("parse image name|invalid reference|default image tag", "This is no reference of an image. Correct {image}."),
    Rule("not found|manifest unknown|does not exist", "The registry has no such image. Check {image}."),
    Rule(
        "pull policy of Never",
        "The node does not have the image, and must not pull it. Change {pull_policy}, or {image}.",
    ),
    Rule("", "Check {image}. If the registry wants credentials, check {pull_secrets}."),
)
# Of what the kubelet needs for a container
_CONFIGURATION_RULES = (
    Rule(
        r"couldn't find key (?P<key>\S+) in Secret [^/\s]+/(?P<name>[^\s:,]+)",
        "The Secret {name} has no key {key}. Set {vault}, or add the key if another tool makes the Secret "
        "(secrets_existing_name).",
    ),
    Rule(r'secret "(?P<name>[^"]+)" not found', "Make the Secret {name}, or correct {secrets}."),
    Rule(r'configmap "(?P<name>[^"]+)" not found', "Make the ConfigMap {name}, or correct {config_maps}."),
    Rule(r'configmap "(?P<name>[^"]+)" not found', "Make the ConfigMap {name}."),
    Rule(
        r"couldn't find key (?P<key>\S+) in ConfigMap [^/\s]+/(?P<name>[^\s:,]+)",
        "Give the ConfigMap {name} the key {key}, or correct {config_maps}.",
    ),
    Rule("runAsNonRoot|non-numeric user|run as root", "The image starts as root. Set a user: {user}."),
    Rule("exec:|no such file or directory|executable file not found|permission denied", "Check {image}."),
    Rule("MountVolume|AttachVolume|FailedAttachVolume", "Check {volumes}."),
)
# Of what the API server refuses
_REFUSAL_RULES = (
    Rule(
        rf"exceeded quota: {QUOTA}, ",
        "Raise the quota of the release (quota_jobs, or quota_hard if you set it), or lower {resources}.",
    ),
    Rule(rf"exceeded quota: {QUOTA}, ", "Raise the quota of the release: quota_jobs, or quota_hard if you set it."),
    Rule(
        "exceeded quota: (?P<name>[^, ]+), ",
        "The quota {name} is not of this release. Have its owner raise it, or lower {resources}.",
    ),
    Rule(
        "exceeded quota: (?P<name>[^, ]+), ",
        "The quota {name} is not of this release. Have its owner raise it.",
    ),
    Rule(
        "failed quota: .*must specify|(minimum|maximum) .* usage per |max limit to request ratio",
        "Change {resources}: a ResourceQuota or LimitRange of the namespace does not allow them.",
    ),
    Rule("violates PodSecurity", "Check {pod_security}."),
    Rule('serviceaccount "(?P<name>[^"]+)" not found', "Make the ServiceAccount {name}, or correct {service_account}."),
    Rule("no PriorityClass", "Make the PriorityClass, or correct {priority_class}."),
)
# Of what the scheduler says. All that match count.
_SCHEDULING = (
    ("Insufficient |Too many pods", "resources"),
    ("untolerated taint", "tolerations"),
    ("node affinity/selector|node selector", "node_selector"),
    ("node affinity|pod affinity|anti-affinity", "affinity"),
    ("topology spread", "spread"),
    ("persistentvolumeclaim|volume node affinity", "volumes"),
)
_OF_IMAGES = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_OF_CONFIGURATION = frozenset(
    {
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"),
        *("FailedMount", "FailedAttachVolume"),
    }
)
_REFUSALS = frozenset({"FailedCreate", "quota", "Pod Security", "admission"})


def remedy_of(body: Mapping[str, Any], reason: str, message: str, container: str = "") -> str:
    """Return which variables to change, in a sentence or two; empty if no variable is known to help.

    :param body: the pod, or the workload whose pods are refused.
    :param reason: as Kubernetes or job_state names it.
    :param message: what it says beside.
    :param container: the one that does not run.
    """
    return _remedy(_part_of(body), body, reason, message, container)


def remedy_of_event(reason: str, message: str) -> str:
    """Return the same of an event about a Job of the Dispatcher, or about its pod, which need not exist any more."""
    if reason in ("Failed", "BackOff") and re.search("pull|image", message, re.IGNORECASE):
        reason = "ErrImagePull"
    return _remedy(JOBS, {}, {"FailedScheduling": "Unschedulable"}.get(reason, reason), message, "")


def _remedy(part: str, body: Mapping[str, Any], reason: str, message: str, container: str) -> str:
    if part not in VARIABLES:
        return ""
    if container and container not in _containers_of(body, part):
        return f"The container {container} is not of this release. Ask whoever adds it to the pods."
    variables = dict(VARIABLES[part])
    if reason in _OF_IMAGES:
        return _by_rule(_IMAGE_RULES, _without_image(body, container, message), variables)
    if reason in _OF_CONFIGURATION:
        return _by_rule(_CONFIGURATION_RULES, f"{reason} {message}", variables)
    if reason in _REFUSALS:
        return _by_rule(_REFUSAL_RULES, message, variables)
    if reason == "Unschedulable":
        found = [variables[what] for pattern, what in _SCHEDULING if re.search(pattern, message) and what in variables]
        return f"Check {', '.join(found)}, or give the cluster nodes that fit." if found else ""
    if reason == "CrashLoopBackOff":
        return _of_crash(body, container, variables)
    if reason == "DeadlineExceeded" and "deadline" in variables:
        return f"If it needs more time, raise {variables['deadline']}."
    return ""


def remedies_by_name(found: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each remedy of *found*, pairs of a name and a remedy, for people."""
    names: dict[str, list[str]] = {}
    for name, text in found:
        if text:
            names.setdefault(text, []).append(name)
    more = {text: f" and {len(named) - _NAMED} more" if len(named) > _NAMED else "" for text, named in names.items()}
    return [f"What to do about {', '.join(named[:_NAMED])}{more[text]}: {text}" for text, named in names.items()]


def remedy_of_cause(cause: Cause | None, workload: Mapping[str, Any], told: str = "") -> str:
    """Return the same of a cause, after what others have set in the pods of the *workload*: that is likelier the cause.

    :param cause: None where none is known.
    :param told: what events say. Of an image that cannot be pulled, the state does not always say why.
    """
    others = told_fields_of_others(workload)
    if cause is None:
        return others
    message = f"{cause.message}\n{told}" if cause.reason in _OF_IMAGES else cause.message
    remedy = remedy_of(cause.pod or workload, cause.reason, message, cause.container)
    return f"{others} If that is not it: {remedy}" if others and remedy else others or remedy


def _of_crash(pod: Mapping[str, Any], container: str, variables: Mapping[str, str]) -> str:
    last = (status_of_container(pod, container).get("lastState") or {}).get("terminated") or {}
    if last.get("reason") == "OOMKilled":
        return (
            f"It needs more memory than its limit: check {variables['resources']}." if "resources" in variables else ""
        )
    if last.get("exitCode") in _EXIT_CODES_OF_IMAGE:
        return f"The image cannot run its command. Check {variables['image']}."
    if last.get("exitCode") == 137 and "liveness_probe" in variables:
        return f"Something killed it. If events say Unhealthy, check {variables['liveness_probe']}; its log says more."
    more = f", {variables['environment']}" if "environment" in variables else ""
    return f"Its log says why. If it is the wrong program or setting, check {variables['image']}{more}."


def _by_rule(rules: tuple[Rule, ...], message: str, variables: dict[str, str]) -> str:
    return next(_filled(rules, message, variables), "")


def _filled(rules: tuple[Rule, ...], message: str, variables: dict[str, str]) -> Iterator[str]:
    for rule in rules:
        found = re.search(rule.pattern, message, re.IGNORECASE)
        if not found:
            continue
        groups = found.groupdict()
        if "key" in groups:
            groups["vault"] = "vault_" + groups["key"].replace("-", "_")
        try:
            yield rule.text.format_map({**variables, **groups})
        except KeyError:  # the part has no such variable
            continue


def _part_of(body: Mapping[str, Any]) -> str:
    if is_of_spawned_job(body):
        return JOBS
    return str(labels_of(body).get(COMPONENT_LABEL) or "")


def _containers_of(body: Mapping[str, Any], part: str) -> tuple[str, ...]:
    """Return the containers of a pod that the release names; another tool may have added others."""
    own = {"dispatcher": CONTAINERS[DISPATCHER], "redis": CONTAINERS[REDIS], JOBS: CONTAINER}
    if part in own:
        return (own[part],)
    spec = body.get("spec") or {}
    return tuple(
        entry.get("name", "") for entry in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    )


def _without_image(pod: Mapping[str, Any], container: str, message: str) -> str:
    """Return a message without the name of the image, which may have any words in it."""
    for entry in (pod.get("spec") or {}).get("containers") or []:
        if entry.get("name") == container and entry.get("image"):
            message = message.replace(entry["image"], "")
    return message
