# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pull secrets a ServiceAccount is to have: those of the release, and those that others have put in."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.pull_secrets import ANNOTATION, keep_others


def an_account(*names: str) -> dict[str, Any]:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "n"}}
    return {**body, **({"imagePullSecrets": [{"name": name} for name in names]} if names else {})}


def live_account(*names: str, stated: str | None, recorded: bool) -> dict[str, Any]:
    """Return an account. *stated*: what we last stated; *recorded*: whether the list is ours."""
    body = an_account(*names)
    record = {"manager": "agentsmith.platform", "operation": "Apply"}
    body["metadata"]["managedFields"] = [{**record, "fieldsV1": {"f:imagePullSecrets": {}} if recorded else {}}]
    if stated is not None:
        body["metadata"]["annotations"] = {ANNOTATION: stated}
    return body


CASES: dict[str, tuple[list[str], dict[str, Any] | None, list[str] | None, str | None]] = {
    # the release's; live; what is stated, None for no list; what the annotation says, None for no annotation
    "a new account": (["a"], None, ["a"], "a"),
    "a new account without any": ([], None, None, None),
    "nothing has changed": (["a"], live_account("a", stated="a", recorded=True), ["a"], "a"),
    "one from before the annotation": (["a"], live_account("a", stated=None, recorded=True), ["a"], "a"),
    "one replaced, from before it": (["b"], live_account("a", stated=None, recorded=True), ["b"], "b"),
    "others added theirs": (["a"], live_account("a", "x", stated="a", recorded=False), None, "a"),
    "others put theirs first": (["a"], live_account("x", "a", stated="a", recorded=False), None, "a"),
    "others threw ours out": (["a"], live_account("x", stated="a", recorded=False), ["x", "a"], "a"),
    "others' are there first": (["a"], live_account("x", stated=None, recorded=False), ["x", "a"], "a"),
    "ours is replaced": (["b"], live_account("x", "a", stated="a", recorded=False), ["x", "b"], "b"),
    "ours goes, others' stay": ([], live_account("a", "x", stated="a", recorded=False), ["x"], ""),
    "ours went before": ([], live_account("x", stated="", recorded=True), ["x"], ""),
    "ours went, others added more": ([], live_account("x", "y", stated="", recorded=False), None, ""),
    "ours is the only one and goes": ([], live_account("a", stated="a", recorded=True), None, ""),
    "never any of ours": ([], live_account("x", stated=None, recorded=False), None, None),
    "the same name as others have": (["x"], live_account("x", stated=None, recorded=False), None, "x"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_stated(case: str) -> None:
    ours, live, stated, annotation = CASES[case]
    body = an_account(*ours)
    for _plan in ("first", "again, under the lock"):
        keep_others([body], {Identity.of(body): live})
        entries = body.get("imagePullSecrets")
        assert (None if entries is None else [entry["name"] for entry in entries]) == stated
        assert (body["metadata"].get("annotations") or {}).get(ANNOTATION) == annotation


def test_other_kinds_are_left_alone() -> None:
    body = {**an_account("a"), "kind": "Pod"}
    keep_others([body], {})
    assert "annotations" not in body["metadata"]
