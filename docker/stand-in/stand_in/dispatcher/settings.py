# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's environment variables about Jobs, with the app's defaults, and the stand-in's own switches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from stand_in.app_version import DEFAULT, AppVersion
from stand_in.dispatcher.job_manifest import JobSettings
from stand_in.dispatcher.job_watch import INTERVAL
from stand_in.dispatcher.kubernetes_detection import SERVICE_ACCOUNT_DIRECTORY

JOB_TTL = 300
"""Seconds, hard-coded in the app."""
TTL_SWITCH = "STAND_IN_JOB_TTL_SECONDS"
ORPHAN_SWITCH = "STAND_IN_ORPHAN_INTERVAL_SECONDS"
SLACK_API_SWITCH = "STAND_IN_SLACK_API_URL"
SERVICE_ACCOUNT_SWITCH = "STAND_IN_SERVICE_ACCOUNT_DIRECTORY"


class SettingsError(ValueError):
    """A value that the stand-in cannot start with; the message names it and what is allowed."""


def job_settings(environment: Mapping[str, str], version: AppVersion = DEFAULT) -> JobSettings:
    """Read what all Jobs have in common. Raises SettingsError."""
    if environment.get("SPAWNER_TYPE", "kubernetes").strip().lower() == "docker":
        raise SettingsError("SPAWNER_TYPE: the stand-in spawns no Docker containers, the app would. Use kubernetes.")
    return JobSettings(
        namespace=environment.get("K8S_NAMESPACE", "default"),
        image=environment.get("AGENTSMITH_IMAGE", "agentsmith:latest"),
        image_pull_policy=environment.get("IMAGE_PULL_POLICY", "IfNotPresent"),
        secret=environment.get("K8S_SECRET_NAME", "agentsmith-secrets"),
        redis_url=environment.get("REDIS_URL", "redis:6379"),
        ttl=_job_ttl(environment.get(TTL_SWITCH)),
        version=version,
    )


def service_account_directory(environment: Mapping[str, str]) -> Path:
    """Return where the pod's `token` and `ca.crt` are."""
    return Path(environment.get(SERVICE_ACCOUNT_SWITCH, SERVICE_ACCOUNT_DIRECTORY))


def orphan_interval(environment: Mapping[str, str]) -> float:
    """Return how many seconds lie between two looks at the running Jobs. Raises SettingsError."""
    text = environment.get(ORPHAN_SWITCH)
    if text is None:
        return INTERVAL
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or not float(text):
        raise SettingsError(f"{ORPHAN_SWITCH}: '{text}' is not a number of seconds above 0. Leave it out for 30.")
    return float(text)


def _job_ttl(text: str | None) -> int:
    if text is None:
        return JOB_TTL
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**31:
        raise SettingsError(f"{TTL_SWITCH}: '{text}' is not a whole number of seconds. Leave it out for 300.")
    return int(text)
