# SPDX-License-Identifier: GPL-3.0-or-later
"""One rendered text is one object; what is not one is refused by its place, and nothing of it is quoted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.manifest import (
    ManifestError,
    parse_manifest,
    stamp_labels,
)

IDENTITY = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"


def parse(text: str) -> dict[str, Any]:
    manifest = parse_manifest(IDENTITY + text)
    assert manifest is not None
    return manifest


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "---\n", "---\n---\n", "null\n"])
def test_nothing_is_no_object(text: str) -> None:
    assert parse_manifest(text) is None


def test_a_leading_document_mark_is_no_second_document() -> None:
    assert parse_manifest(f"---\n{IDENTITY}") == parse_manifest(IDENTITY)


@pytest.mark.parametrize(
    "value",
    [
        "\U0001f600 \U0001f680",
        "\\ud83d\\ude00",
        "\\\U0001f600",
        "\u2028\u2029\x85\x7f\u0000",
        "line\nline\n",
        "\"'\\/",
        "",
        "{{ x }}",
    ],
)
def test_what_json_quotes_arrives_unchanged(value: str) -> None:
    assert parse(f"data: {json.dumps({'key': [value], value: 'key'})}\n")["data"] == {"key": [value], value: "key"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("MARKED: 1\nMARKED: 2\n", "line 5, column 1"),
        ("data: {a: MARKED, a: MARKED}\n", "line 4, column 19"),
        ("data:\n  - {b: {c: 1, c: MARKED}}\n", "line 5, column 16"),
        ("1: MARKED\n", "line 4, column 1"),
        ("data: {on: MARKED}\n", "line 4, column 8"),
        ("data: 2026-01-01\n", "line 4, column 7"),
        ("data: !MARKED 1\n", "line 4, column 7"),
        ("data: !!python/object:os.MARKED {}\n", "line 4, column 7"),
        ("data: *MARKED\n", "line 4, column 7"),
        ("data: 'MARKED\n", "line 5, column 1"),
        ("data: MARKED: MARKED\n", "line 4"),
        ("---\nMARKED: 1\n", "line 5, column 1"),
    ],
)
def test_bad_yaml_is_refused_by_its_place(text: str, place: str) -> None:
    with pytest.raises(ManifestError, match=place) as error:
        parse(text)
    assert "MARKED" not in str(error.value)
    assert error.value.__context__ is None or error.value.__suppress_context__


def test_several_documents_are_refused_with_advice() -> None:
    with pytest.raises(ManifestError, match="3 YAML documents.*a template of its own"):
        parse_manifest("\n---\n".join([IDENTITY] * 3))


def test_a_character_that_yaml_forbids_is_refused() -> None:
    with pytest.raises(ManifestError, match="to_json"):
        parse("data: MARKED\x07\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[MARKED]", "no mapping"),
        ("MARKED", "no mapping"),
        ("kind: ConfigMap\nmetadata: {name: a}", "no apiVersion"),
        ("apiVersion: 1\nkind: ConfigMap\nmetadata: {name: a}", "no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "no kind"),
        ("apiVersion: v1\nkind: ConfigMap", "ConfigMap has no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: MARKED", "ConfigMap has no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ''}", "ConfigMap has no metadata.name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}", "ConfigMap has no metadata.name"),
    ],
)
def test_what_is_no_object_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ManifestError, match=fault) as error:
        parse_manifest(text)
    assert "MARKED" not in str(error.value)


EXPECTED = {
    "app.kubernetes.io/name": "one",
    "app.kubernetes.io/instance": "smith",
    "app.kubernetes.io/component": "redis",
    "app.kubernetes.io/part-of": "agentsmith",
    "app.kubernetes.io/managed-by": "agentsmith.platform",
}


def test_labels_join_those_of_the_template() -> None:
    manifest = parse("")
    manifest["metadata"]["labels"] = {"app": "redis", "app.kubernetes.io/part-of": "other"}
    stamp_labels(manifest, "smith", "redis")
    assert manifest["metadata"]["labels"] == {"app": "redis", **EXPECTED}


def test_a_name_longer_than_a_label_needs_a_label_of_the_template() -> None:
    manifest = parse("")
    manifest["metadata"] = {"name": "a" * 64, "labels": {"app.kubernetes.io/name": "short"}}
    stamp_labels(manifest, "smith", "redis")
    assert manifest["metadata"]["labels"] == {**EXPECTED, "app.kubernetes.io/name": "short"}


def test_labels_replace_null() -> None:
    manifest = parse("")
    manifest["metadata"]["labels"] = None
    stamp_labels(manifest, "smith", "redis")
    assert manifest["metadata"]["labels"] == EXPECTED


@pytest.mark.parametrize("template", [{"spec": {}}, {"metadata": {"labels": {"app": "redis"}}, "spec": {}}])
def test_pod_template_is_labelled(template: dict[str, Any]) -> None:
    own = template.get("metadata", {}).get("labels", {})
    manifest = {**parse(""), "kind": "Deployment", "spec": {"template": template}}
    stamp_labels(manifest, "smith", "redis")
    assert manifest["spec"]["template"]["metadata"]["labels"] == {**own, **EXPECTED}


def test_pod_template_of_a_cron_job_is_labelled() -> None:
    job = {"spec": {"template": {"spec": {}}}}
    manifest = {**parse(""), "apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": job}}
    stamp_labels(manifest, "smith", "redis")
    assert job["spec"]["template"]["metadata"] == {"labels": EXPECTED}


def test_template_of_a_kind_that_is_not_known_is_labelled() -> None:
    manifest = {
        **parse(""),
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "spec": {"template": {"spec": {}}},
    }
    stamp_labels(manifest, "smith", "redis")
    assert manifest["spec"]["template"]["metadata"] == {"labels": EXPECTED}


@pytest.mark.parametrize(
    ("kind", "namespace", "label"),
    [("MutatingAdmissionPolicy", None, "release"), ("ConfigMap", "release", None), ("Namespace", None, None)],
)
def test_what_is_in_no_namespace_says_whose_it_is(kind: str, namespace: str | None, label: str | None) -> None:
    manifest = parse("")
    manifest["kind"] = kind
    manifest["metadata"]["namespace"] = namespace
    stamp_labels(manifest, "smith", "redis", "release")
    assert manifest["metadata"]["labels"].get("agentsmith.platform/namespace") == label


def test_a_name_that_no_label_can_hold_is_refused() -> None:
    manifest = parse("")
    manifest["metadata"]["name"] = "a" * 64
    with pytest.raises(ManifestError, match="ConfigMap has 64 characters"):
        stamp_labels(manifest, "smith", "redis")
