# SPDX-License-Identifier: GPL-3.0-or-later
"""The Job that the Dispatcher spawns: the app's fields and no other ones."""

from __future__ import annotations

from dataclasses import dataclass

from stand_in.app_version import DEFAULT, AppVersion

_SECRET_KEYS = {
    "ANTHROPIC_API_KEY": "anthropic-api-key",
    "AZURE_DEVOPS_TOKEN": "azure-devops-token",
    "GITHUB_TOKEN": "github-token",
    "OPENAI_API_KEY": "openai-api-key",
    "GEMINI_API_KEY": "gemini-api-key",
    "REDIS_URL": "redis-url",
}


@dataclass(frozen=True)
class JobSettings:
    """What all Jobs of a Dispatcher have in common. `ttl` is in seconds after the Job's end."""

    namespace: str
    image: str
    image_pull_policy: str
    secret: str
    redis_url: str
    ttl: int
    version: AppVersion = DEFAULT


@dataclass(frozen=True)
class JobRequest:
    """What one message asks for; `project` is the text of the message, whatever it holds."""

    ticket: int
    project: str
    channel: str
    user: str
    platform: str


def job_name(job_id: str) -> str:
    """Return the name of a job's Job."""
    return f"agentsmith-{job_id}"


def job_manifest(job_id: str, request: JobRequest, settings: JobSettings) -> dict[str, object]:
    """Return the Job as the body of the request to the Kubernetes API, which knows its kind by the path."""
    labels = {"app": "agentsmith", "job-id": job_id}
    return {
        "metadata": {
            "name": job_name(job_id),
            "namespace": settings.namespace,
            "labels": {**labels, "platform": request.platform, "project": request.project},
        },
        "spec": {
            "ttlSecondsAfterFinished": settings.ttl,
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "containers": [_container(job_id, request, settings)]},
            },
        },
    }


def _container(job_id: str, request: JobRequest, settings: JobSettings) -> dict[str, object]:
    return {
        "name": "agentsmith",
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": [
            *settings.version.agent_command,
            "--headless",
            *("--job-id", job_id),
            *("--redis-url", settings.redis_url),
            *("--platform", request.platform),
            *("--channel-id", request.channel),
            f"fix #{request.ticket} in {request.project}",
        ],
        "env": [
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": settings.secret, "key": key, "optional": True}}}
                for name, key in _SECRET_KEYS.items()
            ),
            {"name": "JOB_ID", "value": job_id},
            *([{"name": "TICKET_ID", "value": str(request.ticket)}] if settings.version.ticket_variable else []),
            {"name": "PROJECT", "value": request.project},
            {"name": "CHANNEL_ID", "value": request.channel},
            {"name": "USER_ID", "value": request.user},
            {"name": settings.version.platform_variable, "value": request.platform},
        ],
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
    }
