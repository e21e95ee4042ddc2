# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms, tried by promtool on series as the exporters name them.

Each fires, is quiet before and clears afterwards, and outlives that the exporter is replaced.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
NAMESPACE = "agentsmith"
JOB = "agentsmith-0123456789ab"
IN = f'namespace="{NAMESPACE}"'
# kube-state-metrics is replaced in the midst of it: its own pod is another one from then on. Prometheus notices that
SCRAPED = 'instance="10.0.0.1:8080",job="kube-state-metrics"'
AFTERWARDS = 'instance="10.0.0.2:8080",job="kube-state-metrics"'


@dataclass
class Case:
    """An alarm and what makes it fire.

    :param series: by series, without the labels of the exporter, its values by minutes, as promtool writes them.
    :param firing: minutes at which it fires; ``quiet``: at which it does not.
    :param labels: what it has beside its own.
    """

    alarm: str
    series: dict[str, str]
    firing: list[int]
    quiet: list[int]
    labels: dict[str, str] = field(default_factory=dict)


def deployment(name: str, values: str) -> dict[str, str]:
    return {f'kube_deployment_status_replicas_available{{{IN},deployment="{name}"}}': values}


def of_job(metric: str, values: str, name: str = JOB, more: str = "") -> dict[str, str]:
    return {f'kube_job_{metric}{{{IN},job_name="{name}"{more}}}': values}


def pod_of_job(phase: str, values: str) -> dict[str, str]:
    pod = f'{IN},pod="{JOB}-x"'
    return {
        f'kube_pod_owner{{{pod},owner_kind="Job",owner_name="{JOB}"}}': "1x60",
        f'kube_pod_status_phase{{{pod},phase="{phase}"}}': values,
    }


def conversations(values: str) -> dict[str, str]:
    return {f'redis_keys_count{{{IN},db="db0",key="conversation:*:*"}}': values}


FAILED, COMPLETE = ',condition="true"', ',condition="true"'
RECORD = f'kube_secret_annotations{{{IN},secret="agentsmith-release",annotation_agentsmith_platform_'

CASES = [
    Case("AgentSmithDispatcherUnavailable", deployment("agentsmith-dispatcher", "1x4 0x9 2x9"), [7, 13], [4, 5, 15]),
    Case("AgentSmithRedisUnavailable", deployment("redis", "1x4 0x9 1x9"), [7, 13], [4, 5, 15]),
    Case(
        "AgentSmithContainerRestarting",
        {
            f'kube_pod_container_status_restarts_total{{{IN},container="redis",pod="a"}}': "0x4 1 1 2 3 4 5x50",
            f'kube_pod_container_status_restarts_total{{{IN},container="other",pod="b"}}': "0+3x60",
        },
        [10, 15],
        [4, 40],
        {"container": "redis"},
    ),
    Case(
        "AgentSmithRolloutFailed",
        {
            f"kube_deployment_status_condition{{{IN},"
            'deployment="agentsmith-dispatcher",condition="Progressing",status="false"}': "0x4 1x9 0x9"
        },
        [5, 13],
        [4, 15],
        {"deployment": "agentsmith-dispatcher"},
    ),
    Case(
        "AgentSmithRedisMemoryHigh",
        {
            f'container_memory_working_set_bytes{{{IN},container="redis",pod="a"}}': "50x4 91x20 50x9",
            f'container_memory_working_set_bytes{{{IN},container="dispatcher",pod="b"}}': "99x60",
            f'kube_pod_container_resource_limits{{{IN},container="redis",pod="a",resource="memory"}}': "100x60",
            f'kube_pod_container_resource_limits{{{IN},container="redis",pod="a",resource="cpu"}}': "1x60",
        },
        [16, 24],
        [4, 10, 26],
    ),
    Case(
        "AgentSmithRedisDataHigh",
        {f"redis_memory_used_bytes{{{IN}}}": "50x4 91x20 50x9", f"redis_memory_max_bytes{{{IN}}}": "100x60"},
        [16, 24],
        [4, 10, 26],
    ),
    Case("AgentSmithRedisEvicting", {f"redis_evicted_keys_total{{{IN}}}": "0x4 3x60"}, [6, 17], [4, 25]),
    Case(
        "AgentSmithConversationStuck",
        # Two channels, one of whose Jobs ends after the fourth minute without a word. Redis forgets it in the 20th
        {
            **conversations("2x19 1x40"),
            **of_job("created", "0x60"),
            **of_job("created", "0x60", "agentsmith-02"),
            **of_job("failed", "0x4 1x50", "agentsmith-02", FAILED),
            **deployment("redis", "1x60"),
        },
        [11, 19],
        [4, 8, 21],
    ),
    Case(
        "AgentSmithConversationStuck",
        # The last Job of all is removed. kube-state-metrics tells of no Job from then on
        {**conversations("1x19 0x40"), **of_job("created", "0x4 stale"), **deployment("redis", "1x60")},
        [11, 19],
        [4, 8, 21],
    ),
    Case(
        "AgentSmithConversationStuck",
        # kube-state-metrics is away, so nothing is known of the Jobs
        {**conversations("1x60"), **of_job("created", "0x4 stale"), **deployment("redis", "1x4 stale")},
        [],
        [4, 11, 40],
    ),
    Case(
        "AgentSmithJobsFailing",
        {
            **of_job("failed", "_x2 1x5 stale", "agentsmith-01", FAILED),
            **of_job("failed", "_x5 1x5 stale", "agentsmith-02", FAILED),
            **of_job("failed", "_x8 1x5 stale", "agentsmith-03", FAILED),
            **of_job("failed", "1x60", "agentsmith-backup", FAILED),
        },
        [10, 30],
        [4, 7, 50],
    ),
    Case(
        "AgentSmithJobPending",
        {
            **of_job("created", "60x60"),
            **pod_of_job("Running", "0x20 1x40"),
            **of_job("complete", "0x60", more=COMPLETE),
        },
        [9, 20],
        [4, 6, 22],
    ),
    Case(
        "AgentSmithJobPending",
        # Without a pod: a quota or an admission policy refuses it. It ends with its deadline
        {**of_job("created", "60x60"), **of_job("failed", "0x20 1x40", more=FAILED)},
        [9, 20],
        [4, 22],
    ),
    Case(
        "AgentSmithJobNearDeadline",
        {
            **of_job("status_start_time", "0x60"),
            **of_job("spec_active_deadline_seconds", "1800x60"),
            **of_job("complete", "0x29 1x30", more=COMPLETE),
        },
        [25, 29],
        [10, 23, 31],
    ),
    Case(
        "AgentSmithDeployLockHeld",
        {f'kube_lease_owner{{{IN},lease="agentsmith-release",lease_holder="me@here run 1"}}': "1x70 stale"},
        [61, 70],
        [10, 59, 72],
        {"lease_holder": "me@here run 1"},
    ),
    Case("AgentSmithReleaseUnfinished", {f'{RECORD}unfinished="true"}}': "_x2 1x20 stale"}, [9, 21], [4, 25]),
    Case("AgentSmithReleaseRolledBack", {f'{RECORD}rolled_back="true"}}': "_x2 1x20 stale"}, [4, 21], [1, 25]),
    *(
        Case(
            "AgentSmithCertificateExpiring",
            {
                f'certmanager_certificate_expiration_timestamp_seconds{{{label}="{NAMESPACE}",name="tls"}}': (
                    f"{86400 * 14 + 600}x90 {86400 * 90}x20"
                )
            },
            [75, 90],
            [5, 30, 92],
            {"name": "tls"},
        )
        for label in ("namespace", "exported_namespace")
    ),
    Case(
        "AgentSmithCertificateExpiring",
        # Never issued: cert-manager says 0 for as long as it tries
        {f'certmanager_certificate_expiration_timestamp_seconds{{{IN},name="tls"}}': f"0x90 {86400 * 90}x20"},
        [75, 90],
        [5, 30, 92],
        {"name": "tls"},
    ),
]


# What the exporters call it, and those of its labels that are used. As they document it: docs/metrics of
# kube-state-metrics, docs/storage/prometheus.md of cAdvisor, docs/devops-tips/prometheus-metrics of cert-manager. Of
# redis_exporter: tests/alarms has them fire with a real one
METRICS = {
    "certmanager_certificate_expiration_timestamp_seconds": "name namespace exported_namespace",
    "container_cpu_usage_seconds_total": "container namespace pod",
    "container_memory_working_set_bytes": "container namespace pod",
    "kube_deployment_status_condition": "condition deployment namespace reason status",
    "kube_deployment_status_replicas_available": "deployment namespace",
    "kube_job_complete": "condition job_name namespace",
    "kube_job_created": "job_name namespace",
    "kube_job_failed": "condition job_name namespace",
    "kube_job_spec_active_deadline_seconds": "job_name namespace",
    "kube_job_status_active": "job_name namespace",
    "kube_job_status_completion_time": "job_name namespace",
    "kube_job_status_start_time": "job_name namespace",
    "kube_lease_owner": "lease lease_holder namespace owner_kind owner_name",
    "kube_pod_container_resource_limits": "container namespace node pod resource uid unit",
    "kube_pod_container_status_restarts_total": "container namespace pod uid",
    "kube_pod_owner": "namespace owner_is_controller owner_kind owner_name pod uid",
    "kube_pod_status_phase": "namespace phase pod uid",
    "kube_resourcequota": "namespace resource resourcequota type",
    "kube_secret_annotations": (
        "annotation_agentsmith_platform_rolled_back annotation_agentsmith_platform_unfinished namespace secret"
    ),
    "redis_evicted_keys_total": "namespace",
    "redis_keys_count": "db key namespace",
    "redis_memory_max_bytes": "namespace",
    "redis_memory_used_bytes": "namespace",
}


def selectors(expression: str) -> list[tuple[str, set[str]]]:
    """Return the metrics of an expression, each with the labels that it is selected by."""
    found = re.findall(r"([a-z_]{8,})\{([^}]*)\}", expression)
    return [(metric, set(re.findall(r"(\w+)(?:=~|!=|=)", labels))) for metric, labels in found]


OF_THE_EXPORTER = {"AgentSmithConversationStuck", "AgentSmithRedisDataHigh", "AgentSmithRedisEvicting"}
EXPORTER = {"monitoring_enabled": True, "monitoring_redis_exporter_enabled": True}


@pytest.fixture(scope="module")
def rendered(render: Callable[..., Any]) -> Any:
    return render(
        {
            "operator": EXPORTER,
            "file": {**EXPORTER, "monitoring_format": "configmap", "monitoring_labels": {"a": "b"}},
            "no-exporter": {"monitoring_enabled": True},
            "off": {"monitoring_redis_exporter_enabled": True},
            "without-redis": {
                "monitoring_enabled": True,
                "redis_enabled": False,
                "vault_redis_url": "cache.example.com:6380",
                "dispatcher_network_policy_redis_port": 6380,
                "dispatcher_network_policy_redis_peers": [{"ipBlock": {"cidr": "10.20.30.40/32"}}],
            },
            "routed": {
                "monitoring_enabled": True,
                "monitoring_alert_labels": {"team": "platform"},
                "monitoring_labels": {"release": "prometheus"},
                "monitoring_restarts": 5,
                "agentsmith_instance": "other",
            },
            "bad": {"monitoring_enabled": True, "monitoring_restarts": 0},
            "label": {"monitoring_enabled": True, "monitoring_alert_labels": {"a-b": "c"}},
            "percent": {"monitoring_enabled": True, "monitoring_redis_memory_percent": 100},
            "data": {"monitoring_enabled": True, "monitoring_redis_data_percent": 100},
        }
    )


def groups(rendered: Any, host: str = "operator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rendered.objects[host]["PrometheusRule/agentsmith-alerts"]["spec"]["groups"]
    return found


@pytest.fixture(scope="module")
def alarms(rendered: Any) -> dict[str, dict[str, Any]]:
    """The rules, by their names."""
    return {rule["alert"]: rule for group in groups(rendered) for rule in group["rules"]}


def promtool(*arguments: str | Path) -> str:
    program = shutil.which("promtool", path=f"{REPOSITORY}/.local/bin") or shutil.which("promtool")
    assert program, "promtool is missing: run make .local/bin/promtool"
    ended = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def scraped(series: dict[str, str], exporter: str) -> list[dict[str, str]]:
    return [{"series": f"{name[:-1]},{exporter}}}", "values": values} for name, values in series.items()]


def as_test(case: Case, rule: dict[str, Any], exporter: str) -> dict[str, Any]:
    expected = {"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": rule["annotations"]}
    return {
        "interval": "1m",
        "input_series": scraped(case.series, exporter),
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": case.alarm, "exp_alerts": [expected] if is_firing else []}
            for is_firing, minutes in ((True, case.firing), (False, case.quiet))
            for minute in sorted(minutes)
        ],
    }


def test_each_alarm_fires_and_clears(alarms: dict[str, dict[str, Any]], rendered: Any, tmp_path: Path) -> None:
    assert {case.alarm for case in CASES} == alarms.keys()
    rules, tests = tmp_path / "rules.yml", tmp_path / "tests.yml"
    rules.write_text(json.dumps({"groups": groups(rendered)}))
    assert "SUCCESS" in promtool("check", "rules", rules)
    content = [as_test(case, alarms[case.alarm], SCRAPED) for case in CASES]
    tests.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": content}))
    assert "SUCCESS" in promtool("test", "rules", tests)


@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.alarm)
def test_a_new_pod_of_the_exporter_ends_no_alarm(
    case: Case, alarms: dict[str, dict[str, Any]], rendered: Any, tmp_path: Path
) -> None:
    (name,) = case.series
    rule = alarms[case.alarm]
    test = as_test(Case(case.alarm, {name: "0x9 stale"}, [9, 10, 11, 18], [0]), rule, SCRAPED)
    test["input_series"] += scraped({name: "_x9 0x20"}, AFTERWARDS)
    rules, tests = tmp_path / "rules.yml", tmp_path / "tests.yml"
    rules.write_text(json.dumps({"groups": groups(rendered)}))
    tests.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}))
    assert "SUCCESS" in promtool("test", "rules", tests)


def test_no_label_of_an_exporter_or_a_pod_is_left_in_an_alarm(alarms: dict[str, dict[str, Any]]) -> None:
    kept = r"[(]?(max|min|sum|count) by \((namespace|name)(, (container|deployment|lease_holder))?\)"
    assert [name for name, rule in alarms.items() if not re.match(kept, rule["expr"])] == []


def test_an_alarm_needs_no_template_of_prometheus(alarms: dict[str, dict[str, Any]]) -> None:
    assert "{{" not in json.dumps(alarms)


def test_a_rules_file_has_the_same_rules(rendered: Any) -> None:
    (key,) = [key for key in rendered.objects["file"] if key.endswith("/agentsmith-alerts")]
    body = rendered.objects["file"][key]
    assert key.startswith("ConfigMap/") and body["metadata"]["labels"]["a"] == "b"
    assert yaml.safe_load(body["data"]["agentsmith.rules.yml"]) == {"groups": groups(rendered)}


def test_it_is_off_by_default(rendered: Any) -> None:
    assert not [key for key in rendered.objects["off"] if "alerts" in key]


def test_without_the_bundled_redis_nothing_is_said_of_it(rendered: Any, alarms: dict[str, dict[str, Any]]) -> None:
    found = {rule["alert"] for group in groups(rendered, "without-redis") for rule in group["rules"]}
    assert alarms.keys() - found == {"AgentSmithRedisUnavailable", "AgentSmithRedisMemoryHigh", *OF_THE_EXPORTER}


def test_what_only_the_exporter_of_redis_knows_comes_with_it(rendered: Any, alarms: dict[str, dict[str, Any]]) -> None:
    found = {rule["alert"] for group in groups(rendered, "no-exporter") for rule in group["rules"]}
    assert alarms.keys() - found == OF_THE_EXPORTER


def test_thresholds_and_labels_are_variables(rendered: Any) -> None:
    body = rendered.objects["routed"]["PrometheusRule/agentsmith-alerts"]
    assert body["metadata"]["labels"]["release"] == "prometheus"
    rules = {rule["alert"]: rule for group in body["spec"]["groups"] for rule in group["rules"]}
    assert {rule["labels"]["team"] for rule in rules.values()} == {"platform"}
    assert rules["AgentSmithContainerRestarting"]["expr"].endswith(">= 5")
    assert 'lease="other-release"' in rules["AgentSmithDeployLockHeld"]["expr"]


def test_bad_values_are_refused(rendered: Any) -> None:
    assert "monitoring_restarts is '0'" in rendered.failures["bad"]
    assert "monitoring_alert_labels" in rendered.failures["label"]
    assert "monitoring_redis_memory_percent" in rendered.failures["percent"]
    assert "monitoring_redis_data_percent" in rendered.failures["data"]


def test_each_alarm_has_its_page(alarms: dict[str, dict[str, Any]]) -> None:
    pages = re.findall(r"^## (AgentSmith\w+)$", (REPOSITORY / "docs/how-to/alarms.md").read_text(), re.MULTILINE)
    assert pages == list(alarms)
    for name, rule in alarms.items():
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/how-to/alarms.md#{name.lower()}")


def test_what_is_asked_for_is_what_the_exporters_call_it(alarms: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    dashboard = json.loads((REPOSITORY / "roles/monitoring/files/dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = [*shown, *(rule["expr"] for rule in alarms.values())]
    used = [selector for expression in asked for selector in selectors(expression)]
    assert {metric for metric, _labels in used} == METRICS.keys()
    assert [(metric, labels) for metric, labels in used if labels - set(METRICS[metric].split())] == []
    # Grafana's variables are what an expression of Prometheus may contain within a text
    rules = tmp_path / "dashboard.yml"
    records = [{"record": f"panel_{number}", "expr": expression} for number, expression in enumerate(shown)]
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))
    assert f"{len(shown)} rules found" in promtool("check", "rules", rules)
