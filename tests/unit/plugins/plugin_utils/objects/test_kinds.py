# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of kinds: every kind that a role can render is in it, and what it says is what Kubernetes does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.kinds import (
    KINDS,
    RENDERED_KINDS,
    WriteOrder,
    kind_of,
    kind_of_body,
    pod_template,
    stamps_secrets,
)

ROLES = Path(__file__).resolve().parents[5] / "roles"
PARTS = [tasks.parents[1] for tasks in ROLES.glob("*/tasks/render.yml")]
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": []}}


def a_body(kind: str, api_version: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


def test_every_kind_of_a_template_is_looked_for() -> None:
    rendered = set()
    for template in (path for part in PARTS for path in (part / "templates").glob("*.yaml.j2")):
        text = template.read_text(encoding="utf-8")
        (api_version,), (kind,) = (re.findall(rf"^{key}: (.+)$", text, re.MULTILINE) for key in ("apiVersion", "kind"))
        rendered.add((api_version.rpartition("/")[0], kind))
    assert ("apps", "Deployment") in rendered
    # Those of the Prometheus Operator are rendered if somebody asks for them. Nobody else needs a right to list them
    operators = {("monitoring.coreos.com", kind) for kind in ("PodMonitor", "PrometheusRule")}
    assert rendered - RENDERED_KINDS == {("", "Namespace"), *operators}


def test_prune_never_takes_a_namespace_or_a_job() -> None:
    assert {kind.name for kind in KINDS.values() if not kind.is_pruned} == {"Namespace", "Job"}


@pytest.mark.parametrize(
    "body",
    [
        *(
            a_body(kind, "apps/v1", template=TEMPLATE)
            for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
        ),
        a_body("Job", "batch/v1", template=TEMPLATE),
        a_body("CronJob", "batch/v1", jobTemplate={"spec": {"template": TEMPLATE}}),
    ],
    ids=lambda body: body["kind"],
)
def test_a_workload_says_what_its_pods_are_made_from(body: dict[str, Any]) -> None:
    assert kind_of_body(body).has_pods
    assert pod_template(body) is TEMPLATE
    assert kind_of_body(body).write_order == WriteOrder.WORKLOADS


def test_a_pod_is_its_own_template() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", **TEMPLATE}
    assert kind_of_body(pod).has_pods
    assert pod_template(pod) is pod


@pytest.mark.parametrize(
    "body",
    [
        a_body("Deployment", "example.com/v1", template=TEMPLATE),
        a_body("Service", "v1", template=TEMPLATE),
        a_body("Deployment", "apps/v1", template="text"),
        {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": []}},
    ],
    ids=["namesake", "without-pods", "malformed", "malformed-on-the-way"],
)
def test_what_has_no_pods_has_no_template(body: dict[str, Any]) -> None:
    assert pod_template(body) == {}


def test_what_replaces_its_pods_is_stamped_and_a_cron_job_for_its_next_run() -> None:
    stamped = {kind.name for kind in KINDS.values() if stamps_secrets(a_body(kind.name, f"{kind.group}/v1"))}
    assert stamped == {"Deployment", "StatefulSet", "DaemonSet", "CronJob"}
    assert {kind.name for kind in KINDS.values() if kind.rolls} == {"Deployment", "StatefulSet", "DaemonSet"}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_waits_for_somebody_to_delete_its_pods_is_not_stamped(kind: str) -> None:
    assert stamps_secrets(a_body(kind, "apps/v1", updateStrategy={"type": "RollingUpdate"}))
    assert not stamps_secrets(a_body(kind, "apps/v1", updateStrategy={"type": "OnDelete"}))


def test_a_kind_without_a_row_is_written_with_the_workloads() -> None:
    kind = kind_of("monitoring.coreos.com", "ServiceMonitor")
    assert (kind.write_order, kind.is_pruned, kind.is_listed, kind.has_pods) == (
        WriteOrder.WORKLOADS,
        True,
        True,
        False,
    )
