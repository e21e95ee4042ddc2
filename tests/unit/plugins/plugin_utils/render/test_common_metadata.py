# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels and annotations for every object: where they go, what stays, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.common_metadata import (
    ANNOTATIONS,
    LABELS,
    CommonMetadata,
    common_metadata,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.template_engine import (
    RenderError,
    TemplateEngine,
)

LABEL, NOTE = {"cost-center": "4711"}, {"example.com/owner": "Team A <a@example.com>"}


def common(labels: Any = None, annotations: Any = None) -> CommonMetadata:
    variables = {LABELS: labels, ANNOTATIONS: annotations, "inventory_hostname": "one"}
    return common_metadata(cast(TemplateEngine, SimpleNamespace(variables=variables, value=lambda source: source)))


def a_body(kind: str, spec: Any, api_version: str = "apps/v1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", **metadata}, "spec": spec}


def test_an_object_and_its_pods_get_both_and_no_selector_does() -> None:
    selector = {"matchLabels": {"app": "a"}}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {}}
    body = a_body("Deployment", {"selector": selector, "template": template}, labels={"app": "a"})
    common(LABEL, NOTE).add_to(body)
    assert body["metadata"] == {"name": "a", "labels": {"app": "a", **LABEL}, "annotations": NOTE}
    assert body["spec"]["template"]["metadata"] == {"labels": {"app": "a", **LABEL}, "annotations": NOTE}
    assert body["spec"]["selector"] == {"matchLabels": {"app": "a"}}


def test_a_cron_job_hands_both_to_its_jobs() -> None:
    body = a_body("CronJob", {"jobTemplate": {"spec": {"template": {"spec": {}}}}}, "batch/v1")
    common(LABEL, NOTE).add_to(body)
    added = {"labels": LABEL, "annotations": NOTE}
    assert body["spec"]["jobTemplate"] == {
        "metadata": added,
        "spec": {"template": {"metadata": added, "spec": {}}},
    }


def test_a_claim_template_which_nobody_may_change_stays() -> None:
    claims = [{"metadata": {"name": "data"}}]
    body = a_body("StatefulSet", {"template": {"spec": {}}, "volumeClaimTemplates": claims})
    common(LABEL).add_to(body)
    assert body["spec"]["volumeClaimTemplates"] == [{"metadata": {"name": "data"}}]


def test_what_an_object_states_itself_stays() -> None:
    body = a_body("ConfigMap", None, "v1", labels={"cost-center": "1"}, annotations=None)
    common(LABEL, NOTE).add_to(body)
    assert body["metadata"] == {"name": "a", "labels": {"cost-center": "1"}, "annotations": NOTE}


def test_without_the_facts_nothing_is_added() -> None:
    body = a_body("Job", {"template": {"spec": {}}}, "batch/v1")
    common().add_to(body)
    assert body == a_body("Job", {"template": {"spec": {}}}, "batch/v1")


@pytest.mark.parametrize(
    ("labels", "annotations", "text"),
    [
        (["a"], None, f"{LABELS} is not a dictionary. Allowed: a dictionary of texts"),
        (None, "a=b", f"{ANNOTATIONS} is not a dictionary"),
        ({"cost-center": 4711}, None, f"{LABELS}[cost-center] is a number. Allowed: the value of a label, a text"),
        ({"cost-center": True}, None, f"{LABELS}[cost-center] is a boolean"),
        ({"cost-center": "a b"}, None, f"{LABELS}[cost-center] is 'a b'"),
        ({"cost-center": "a" * 64}, None, f"{LABELS}[cost-center] is 'aaaa"),
        ({"cost center": "a"}, None, f"{LABELS} has the key 'cost center'. Allowed: a name of 63 letters"),
        ({"Example.com/a": "a"}, None, f"{LABELS} has the key 'Example.com/a'"),
        ({"/a": "a"}, None, f"{LABELS} has the key '/a'"),
        ({"example.com/": "a"}, None, f"{LABELS} has the key 'example.com/'"),
        ({4711: "a"}, None, f"{LABELS} has the key 4711"),
        ({"app": "a"}, None, f"{LABELS} has the key 'app', which is not yours to set"),
        ({"app.kubernetes.io/instance": "a"}, None, "'app.kubernetes.io/instance', which is not yours to set"),
        ({"agentsmith.platform/namespace": "a"}, None, "'agentsmith.platform/namespace', which is not yours to set"),
        ({"pod-security.kubernetes.io/enforce": "privileged"}, None, "which is not yours to set"),
        ({"pod-template-hash": "a"}, None, "which is not yours to set"),
        (None, {"note": None}, f"{ANNOTATIONS}[note] is null. Allowed: a text; quote numbers and booleans"),
        (None, {"note": 1.5}, f"{ANNOTATIONS}[note] is a fraction"),
        (None, {"agentsmith.platform/created": "true"}, "which is not yours to set"),
        (None, {"kubectl.kubernetes.io/last-applied-configuration": "{}"}, "which is not yours to set"),
    ],
)
def test_what_cannot_be_is_refused_by_name(labels: Any, annotations: Any, text: str) -> None:
    with pytest.raises(RenderError) as refused:
        common(labels, annotations)
    assert text in str(refused.value)
    assert "target one" in str(refused.value)


def test_what_can_be_passes() -> None:
    labels = {"cost-center": "4711", "example.com/team": "", "kubernetes.io/team": "a", "application": "b"}
    notes = {"note": "two\nlines", "example.com/Long": "x" * 300, "empty": ""}
    assert common(labels, notes) == CommonMetadata(labels, notes)
