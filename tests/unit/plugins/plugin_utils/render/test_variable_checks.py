# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with variables: all at once, how they fit together last, and never the value of a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.variable_checks import (
    Check,
    for_each_key,
    variable_faults,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import KEYS, snake_case
from jinja_engine import JinjaEngine, Locked

NOWHERE = Path("/nonexistent")


def faults(
    variables: dict[str, Any],
    *checks: Check,
    arguments: dict[str, dict[str, Any]] | None = None,
    unsafe: tuple[str, ...] = (),
) -> list[str]:
    warnings: list[str] = []
    found = variable_faults(JinjaEngine(NOWHERE, variables, unsafe), arguments or {}, checks, warnings.append)
    assert warnings == []
    return found


def test_relations_are_asked_when_each_value_is_right() -> None:
    relation = Check("a", that="a < b", allowed="less than b")
    shape = Check("b", shape="count")
    assert faults({"a": 1, "b": 2}, relation, shape) == []
    assert faults({"a": 3, "b": 2}, relation, shape) == ["a does not fit. Allowed: less than b."]
    assert faults({"a": 3, "b": "many"}, relation, shape) == ["b is 'many'. Allowed: a whole number, 0 or more."]


def test_only_the_relation_that_does_not_hold_is_told() -> None:
    checks = [Check("a", that="a > 1", allowed="more"), Check("b", that="b > 1", allowed="more too")]
    assert faults({"a": 2, "b": 1}, *checks) == ["b does not fit. Allowed: more too."]


def test_a_relation_that_cannot_be_asked() -> None:
    check = Check("a", that="nothing.at_all == a", allowed="anything")
    assert faults({"a": "MARKED"}, check) == [
        "a cannot be checked: UndefinedError (what it says is not shown, as it may quote a secret value). "
        "Allowed: anything."
    ]


def test_the_engine_has_the_value_of_what_was_checked() -> None:
    engine = JinjaEngine(NOWHERE, {"a": "{{ 1 + 1 }}"})
    assert variable_faults(engine, {}, [Check("a", shape="count")], print) == []
    assert engine.variables == {"a": 2}


def test_the_argument_spec_is_asked_without_quoting_secrets() -> None:
    arguments = {
        "kind": {"type": "str", "choices": ["one", "two"]},
        "token": {"type": "int", "no_log": True},
        "names": {"type": "list", "elements": "str"},
        "objects": {"type": "raw"},
    }
    sound = {"kind": "one", "token": 1, "names": ["a"], "objects": "{{ nothing }}"}
    assert faults(sound, arguments=arguments) == []
    assert faults({**sound, "kind": "three"}, arguments=arguments) == [
        "value of kind must be one of: one, two, got: three"
    ]
    (fault,) = faults({**sound, "token": "MARKED"}, arguments=arguments)
    assert "token" in fault
    assert "MARKED" not in fault
    (fault,) = faults({**sound, "names": "a"}, arguments=arguments)
    assert fault.startswith("names is a text. Allowed: a list (on the command line as JSON")


def test_a_value_that_no_password_opens_is_named_with_its_vault_id() -> None:
    variables = {
        "a": "{{ b }}",
        "b": "x{{ vault_c }}",
        "vault_c": Locked("stg"),
        "other": Locked("prod"),
        "d": "{{ b }}",
    }
    said = (
        "vault_c cannot be decrypted: its vault id is stg, and no password that was given opens it. "
        "Give its password, as in --vault-id stg@prompt, or encrypt it again."
    )
    secret = [Check(name, matches="x", allowed="x", secret=True) for name in ("a", "d")]
    assert faults(dict(variables), *secret) == [said]
    assert faults(dict(variables), Check("a", matches="x", allowed="x")) == [said]
    (nested,) = faults({"a": {"b": [Locked("stg")]}}, Check("a", shape="count", each=True))
    assert nested.startswith("a.b[0] cannot be decrypted")


def test_a_value_that_cannot_be_had() -> None:
    assert faults({"a": "{{ nothing }}"}, Check("a", shape="count")) == ["a cannot be read: 'nothing' is undefined"]
    secret = Check("a", matches="x", allowed="x", secret=True)
    (fault,) = faults({"a": "MARKED{{ nothing }}"}, secret)
    assert fault.startswith("a cannot be read: UndefinedError (what it says is not shown")
    assert faults({"a": "{{ vault_token }}"}, secret) == ["a cannot be read: vault_token is not set."]


def test_a_vault_variable_holds_no_template_that_is_none() -> None:
    check = Check("a", vault="vault_a")
    broken = "ab{{ MARKED }}c"
    (fault,) = faults({"a": "x", "vault_a": broken}, check)
    assert fault.startswith("vault_a holds {{ or {% and cannot be rendered (UndefinedError): correct the expression")
    assert "MARKED" not in fault
    assert faults({"a": "x", "vault_a": broken}, check, unsafe=(broken,)) == []
    (fault,) = faults({"a": "x", "vault_a": "{{ 'a' }}{# MARKED #}"}, check)
    assert fault.startswith("vault_a holds {#, with which a comment begins")


def test_a_path_leads_into_a_dictionary() -> None:
    check = Check("limits.memory", shape="quantity")
    assert faults({"limits": {"memory": "1Gi"}}, check) == []
    assert faults({"limits": {"cpu": 1}}, check)[0].startswith(
        "limits.memory is not set. Allowed: a Kubernetes quantity"
    )
    assert faults({"limits": {"memory": True}}, check)[0].startswith("limits.memory is a boolean")


def test_a_check_for_every_key_of_the_secret() -> None:
    sound = {f"my_{snake_case(key)}": "" for key in KEYS}
    sound |= {"my_slack_bot_token": "xoxb-1", "my_slack_signing_secret": "0" * 32, "my_redis_url": "redis:6379"}
    checks = for_each_key(Check("my_*", value_of="*"))
    assert [check.value_of for check in checks] == list(KEYS)
    assert faults(sound, *checks) == []
    for key in KEYS:
        (fault,) = faults({**sound, f"my_{snake_case(key)}": "MARKED secret"}, *checks)
        assert fault.startswith(f"my_{snake_case(key)} has white space in it")
        assert fault.endswith(f"Its Vault variable is vault_{snake_case(key)}.")
        assert "MARKED" not in fault
    assert for_each_key(Check("a", shape="count")) == [Check("a", shape="count")]
