# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's variables about Jobs: the app's defaults, and the stand-in's switch for the TTL."""

from __future__ import annotations

import pytest
from stand_in.dispatcher.job_manifest import JobSettings
from stand_in.dispatcher.settings import SettingsError, job_settings, orphan_interval


def test_the_defaults_of_the_app() -> None:
    assert job_settings({}) == JobSettings(
        "default", "agentsmith:latest", "IfNotPresent", "agentsmith-secrets", "redis:6379", 300
    )


def test_every_variable_counts() -> None:
    environment = {
        "K8S_NAMESPACE": "ns",
        "AGENTSMITH_IMAGE": "image",
        "IMAGE_PULL_POLICY": "Never",
        "K8S_SECRET_NAME": "secret",
        "REDIS_URL": "redis:1,abortConnect=false",
        "STAND_IN_JOB_TTL_SECONDS": "0",
        "SPAWNER_TYPE": "Kubernetes ",
    }
    assert job_settings(environment) == JobSettings("ns", "image", "Never", "secret", "redis:1,abortConnect=false", 0)


@pytest.mark.parametrize("text", ["", " ", "-1", "1.5", "20s", "٢٠", str(2**31)])
def test_a_ttl_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="STAND_IN_JOB_TTL_SECONDS: "):
        job_settings({"STAND_IN_JOB_TTL_SECONDS": text})


@pytest.mark.parametrize("text", ["docker", " Docker "])
def test_the_docker_spawner_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="SPAWNER_TYPE"):
        job_settings({"SPAWNER_TYPE": text})


@pytest.mark.parametrize(("environment", "seconds"), [({}, 30.0), ({"STAND_IN_ORPHAN_INTERVAL_SECONDS": "0.5"}, 0.5)])
def test_the_time_between_two_looks_at_the_jobs(environment: dict[str, str], seconds: float) -> None:
    assert orphan_interval(environment) == seconds


@pytest.mark.parametrize("text", ["", "0", "0.0", "-1", "1e3", "soon"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="STAND_IN_ORPHAN_INTERVAL_SECONDS: "):
        orphan_interval({"STAND_IN_ORPHAN_INTERVAL_SECONDS": text})
