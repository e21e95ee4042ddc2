# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that an object states is lost in its table of fields."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from object_fields import below, flattened, object_fields


def test_items_are_told_apart_by_their_name_or_their_place() -> None:
    ports = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    rules = [{"apiGroups": [""]}, {}]
    assert flattened({"env": [{"name": "A", "value": "1"}, {"name": "B"}], "ports": ports, "rules": rules}) == {
        "env[A]": "A",
        "env[A].value": "1",
        "env[B]": "B",
        "ports[0]": 0,
        "ports[0].port": 53,
        "ports[0].protocol": "TCP",
        "ports[1]": 1,
        "ports[1].port": 53,
        "ports[1].protocol": "UDP",
        "rules[0]": 0,
        "rules[0].apiGroups": [""],
        "rules[1]": 1,
    }


def test_what_is_empty_counts() -> None:
    assert flattened({"emptyDir": {}, "args": [], "save": "", "key.with/dots": None}) == {
        "emptyDir": {},
        "args": [],
        "save": "",
        "[key.with/dots]": None,
    }


def deployment(*containers: str) -> dict[str, Any]:
    pod = {"hostNetwork": True, "containers": [{"name": name, "image": "x"} for name in containers]}
    return {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": pod}}}


def test_the_only_container_has_a_short_name() -> None:
    assert object_fields(deployment("a")) == {"pod.hostNetwork": True, "container": "a", "container.image": "x"}
    assert object_fields(deployment("a", "b")).keys() == {
        "pod.hostNetwork",
        "pod.containers[a]",
        "pod.containers[a].image",
        "pod.containers[b]",
        "pod.containers[b].image",
    }


def test_the_values_of_a_secret_are_not_shown() -> None:
    data = {key: b64encode(b"MARKED").decode() for key in ("redis-url", "jira-email")}
    assert object_fields({"kind": "Secret", "metadata": {"name": "s"}, "data": data}) == {
        "stringData.redis-url": "MARKED",
        "stringData.jira-email": "a value",
    }


def test_below_a_path_is_not_what_begins_like_it() -> None:
    fields = {"a.b": 1, "a.bc": 2, "a.b.d": 3, "a.b[x]": 4}
    assert below(fields, "a.b") == {"d": 3, "[x]": 4}
    assert below(fields, "a.bc") == {"": 2}
    assert below(fields, "a.x") == {}
