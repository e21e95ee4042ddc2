# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote which field: records as the API server keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import (
    entries_beside,
    owner_of,
    stated_beside,
    value_at,
)

WHOLE: dict[str, Any] = {}
REDIS = 'k:{"name":"redis"}'


def an_entry(manager: str, fields: dict[str, Any], time: str = "2026-01-01T00:00:00Z", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}


def an_object(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(entries)}}


def test_the_last_writer_is_named_and_a_status_is_no_statement() -> None:
    fields = {"f:spec": {"f:replicas": WHOLE}}
    live = an_object(
        an_entry("first", fields),
        an_entry("second", fields, "2026-01-02T00:00:00Z"),
        an_entry("status", fields, "2026-01-03T00:00:00Z", subresource="status"),
    )
    owner = owner_of(live, ("spec", "replicas"))
    assert owner and (owner.manager, owner.time) == ("second", "2026-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        (("spec", "args"), True),
        (("spec", "args", "deeper"), True),  # a list that is recorded as a whole
        (("spec", "[name=redis]", "image"), True),
        (("spec", "[name=redis]"), True),  # a part of it
        (("spec", "[name=other]"), False),
        (("spec", "[name=redis]", "stdin"), False),
        (("metadata",), False),
    ],
)
def test_owner_of_a_whole_and_of_a_part(path: tuple[str, ...], owned: bool) -> None:
    live = an_object(an_entry("a", {"f:spec": {".": {}, "f:args": WHOLE, REDIS: {".": {}, "f:image": WHOLE}}}))
    assert bool(owner_of(live, path)) is owned


@pytest.mark.parametrize(
    ("theirs", "ours", "paths"),
    [
        ({"f:a": WHOLE}, {"f:a": WHOLE}, []),
        ({"f:a": {".": {}, "f:b": WHOLE}}, {}, [("a", "b")]),
        ({"f:a": {"f:b": WHOLE, "f:c": WHOLE}}, {"f:a": {"f:c": WHOLE}}, [("a", "b")]),
        ({REDIS: {".": {}, "f:image": WHOLE}}, {}, [("[name=redis]",)]),
        ({REDIS: {"f:stdin": WHOLE}}, {REDIS: {".": {}, "f:image": WHOLE}}, [("[name=redis]", "stdin")]),
        ({'v:"one"': WHOLE}, {'v:"two"': WHOLE}, [('[="one"]',)]),
        ({"f:a": {"f:b": WHOLE}}, {"f:a": WHOLE}, []),  # ours as a whole
    ],
)
def test_what_others_state_beside_us(theirs: Any, ours: Any, paths: list[tuple[str, ...]]) -> None:
    assert list(stated_beside(theirs, ours)) == paths


OURS = {"f:list": {REDIS: {".": {}, "f:image": WHOLE, "f:ports": {'k:{"containerPort":1,"protocol":"TCP"}': WHOLE}}}}


@pytest.mark.parametrize(
    ("live", "paths"),
    [
        ({"list": [{"name": "redis", "image": "redis"}]}, []),
        ({"list": [{"name": "proxy"}, {"name": "redis"}]}, [("list", "[name=proxy]")]),
        ({"list": [{"name": "redis", "ports": [{"containerPort": 1, "protocol": "TCP"}], "env": [{"name": "A"}]}]}, []),
        (
            {"list": [{"name": "redis", "ports": [{"containerPort": 1}, {"containerPort": 2}]}]},
            [("list", "[name=redis]", "ports", "[containerPort=2]")],
        ),
        ({"list": ["text"], "other": [{"name": "a"}]}, []),
        ({"list": None}, []),
    ],
)
def test_the_entries_of_others_in_our_lists(live: Any, paths: list[tuple[str, ...]]) -> None:
    assert list(entries_beside(live, OURS)) == paths


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("ports", "[containerPort=6379,protocol=TCP]", "name"), "db"),
        (("ports", "[containerPort=1]"), None),
        (("finalizers", '[="one"]'), "one"),
        (("finalizers", "[name=one]"), None),
        (("ports", "name"), None),
    ],
)
def test_the_value_at_a_path(path: tuple[str, ...], value: Any) -> None:
    body = {"ports": [{"containerPort": 6379, "name": "db"}], "finalizers": ["one"]}
    assert value_at(body, path) == value
