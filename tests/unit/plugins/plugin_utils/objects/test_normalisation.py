# SPDX-License-Identifier: GPL-3.0-or-later
"""The form in which objects are compared and sent."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.labels import (
    INSTANCE_LABEL,
    MANAGED_BY_LABEL,
    is_ours,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.normalisation import normalise_objects

MARK = "marked-value"


def config_map(name: str = "c", **content: Any) -> dict[str, Any]:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, **content}


def secret(**content: Any) -> dict[str, Any]:
    """Return a Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, **content}


def encoded(text: str) -> str:
    """Return the base64 form of a text."""
    return base64.b64encode(text.encode()).decode()


def test_what_is_null_counts_as_not_stated_but_an_empty_value_stays() -> None:
    (body,) = normalise_objects([config_map(data={"a": None, "b": ""}, spec={"args": ["--save", "", None]}, x=None)])
    assert body == config_map(data={"b": ""}, spec={"args": ["--save", "", None]})


def test_the_status_is_left_out() -> None:
    assert normalise_objects([config_map(status={"a": 1})]) == [config_map()]


def test_string_data_becomes_data_and_wins_over_it() -> None:
    (body,) = normalise_objects([secret(data={"a": encoded("old"), "b": encoded("b")}, stringData={"a": "new"})])
    assert body == secret(data={"a": encoded("new"), "b": encoded("b")})


def test_an_object_of_another_group_that_is_called_secret_stays_as_it_is() -> None:
    body = {**secret(stringData={"a": "b"}), "apiVersion": "example.com/v1"}
    assert normalise_objects([body]) == [body]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (secret(stringData={"key": 12345}), "Secret n/s: the value of stringData[key] is not a string"),
        (secret(data={"key": MARK + "!"}), "Secret n/s: the value of data[key] is not base64"),
        (secret(data=[MARK]), "Secret n/s: data must be a dictionary"),
        (
            config_map(data={"day": datetime.date(2026, 1, 1)}),
            "objects[0] (ConfigMap) contains a value that JSON",
        ),
        (MARK, "objects[0] is a text"),
        ({"kind": "ConfigMap", "metadata": {"name": MARK}}, "objects[0] (ConfigMap) lacks apiVersion"),
        ({"apiVersion": "v1", "data": MARK}, "objects[0] (no kind) lacks kind, metadata.name"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": None}, "lacks metadata.name"),
    ],
)
def test_a_malformed_object_is_refused_without_quoting_it(body: Any, said: str) -> None:
    with pytest.raises(ApplyError) as caught:
        normalise_objects([body])
    assert said in str(caught.value)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (f"{MARK} {{{{ release_objects }}}}", "a text"),
        (config_map(MARK), "a dictionary"),
        (None, "null"),
        (3, "a number"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(given: Any, words: str) -> None:
    with pytest.raises(ApplyError) as caught:
        normalise_objects(given)
    assert str(caught.value) == f"objects must be a list of Kubernetes objects, but {words} is given."


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(ApplyError) as caught:
        normalise_objects(["x", config_map(), {"kind": "ConfigMap"}])
    assert "objects[0]" in str(caught.value)
    assert "objects[2]" in str(caught.value)


def test_an_object_that_is_given_twice_is_refused_whatever_its_version() -> None:
    deployments = [
        {"apiVersion": f"apps/{version}", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}}
        for version in ("v1", "v1beta1")
    ]
    with pytest.raises(ApplyError, match="Deployment n/d is in the list twice"):
        normalise_objects(deployments)


@pytest.mark.parametrize(
    ("managed_by", "instance", "ours"),
    [
        ("agentsmith.platform", "agentsmith", True),
        ("agentsmith.platform", "other", False),
        ("Helm", "agentsmith", False),
        (None, None, False),
    ],
)
def test_an_object_is_ours_by_its_labels(managed_by: str | None, instance: str | None, ours: bool) -> None:
    desired = config_map()
    desired["metadata"]["labels"] = {MANAGED_BY_LABEL: "agentsmith.platform", INSTANCE_LABEL: "agentsmith"}
    live = config_map()
    live["metadata"]["labels"] = {MANAGED_BY_LABEL: managed_by, INSTANCE_LABEL: instance}
    assert is_ours(live, desired) is ours


def test_without_an_instance_nothing_is_ours() -> None:
    labelled = config_map()
    labelled["metadata"]["labels"] = {MANAGED_BY_LABEL: "agentsmith.platform"}
    assert not is_ours(labelled, labelled)
