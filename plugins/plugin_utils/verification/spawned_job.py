# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job that the Dispatcher will spawn, and what the API server makes of it: a dry run on behalf of its account.

The app states no `apiVersion` and `kind`, which the API server takes from the address; stating them is the same.
"""

import copy
from collections.abc import Mapping
from typing import Any

from ..agentsmith_config.schema import JOB_VARIABLES
from ..pods.names import DISPATCHER
from ..pods.spawned_jobs import CONTAINER
from .app_release import AppRelease
from .target import Target, main_container

JOB_ID = "000000000000"
NAME = f"agentsmith-{JOB_ID}"
PROJECT = "verify"
RESOURCES = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


def spawned_job(namespace: str, dispatcher: Mapping[str, Any], app: AppRelease) -> dict[str, Any]:
    """Return a Job as the Dispatcher makes it, by the environment of its live Deployment."""
    variables = main_container(dispatcher, DISPATCHER).get("env") or []
    environment = {entry["name"]: entry.get("value") or "" for entry in variables}
    secret = environment.get("K8S_SECRET_NAME") or "agentsmith-secrets"
    agent = {
        "name": CONTAINER,
        "image": environment.get("AGENTSMITH_IMAGE") or "agentsmith:latest",
        "imagePullPolicy": environment.get("IMAGE_PULL_POLICY") or "IfNotPresent",
        "args": [
            *app.arguments,
            "--headless",
            *("--job-id", JOB_ID),
            # The Dispatcher's own value, which may hold a password. No policy reads it.
            *("--redis-url", "redis:6379"),
            *("--platform", "slack"),
            *("--channel-id", PROJECT),
            f"fix #54 in {PROJECT}",
        ],
        "env": [
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key, "optional": True}}}
                for name, key in JOB_VARIABLES.items()
            ),
            *({"name": name, "value": PROJECT} for name in app.variables),
        ],
        "resources": RESOURCES,
    }
    labels = {"app": "agentsmith", "job-id": JOB_ID}
    template = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [agent]}}
    metadata = {
        "name": NAME,
        "namespace": namespace,
        "labels": {**labels, "platform": "slack", "project": PROJECT},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"ttlSecondsAfterFinished": 300, "backoffLimit": 0, "template": template},
    }


def with_image(job: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return the Job with another image."""
    changed = copy.deepcopy(dict(job))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return changed


def pod_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pod of a Job, as its controller makes it."""
    template, metadata = job["spec"]["template"], job["metadata"]
    names = {"name": metadata["name"], "namespace": metadata["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        # With the template's annotations as well: a cluster may demand some of every pod
        "metadata": {**(template.get("metadata") or {}), **names},
        "spec": template["spec"],
    }


def admitted(target: Target, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Job as the API server would take it from the Dispatcher's ServiceAccount.

    :raises ApiError: when it would not, or when we may not ask on behalf of that account.
    """
    names = target.names
    path = f"/apis/batch/v1/namespaces/{names.namespace}/jobs"
    user = f"system:serviceaccount:{names.namespace}:{names.service_account}"
    body: dict[str, Any] = target.connection.request("POST", path, query={"dryRun": "All"}, body=job, user=user).body
    return body
