# SPDX-License-Identifier: GPL-3.0-or-later
"""Masking of Secrets in texts and diffs."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.managed_fields import LAST_APPLIED_ANNOTATION
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import MASK, Redactor

VALUE = "pass/word+1=&x \"y'"
KEY_FILE = "-----BEGIN KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC\nBKgwggSkAgEAAoIBAQC7\n-----END KEY-----\n"


def secret(**values: str) -> dict[str, Any]:
    """Return a Secret as it is sent."""
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": data}


def redactor(**values: str) -> Redactor:
    """Return a redactor that knows the values."""
    known = Redactor()
    known.learn([secret(**values), None, {"kind": "ConfigMap", "data": {"a": "visible"}}])
    return known


ENCODED = base64.b64encode(VALUE.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        ENCODED,
        ENCODED.rstrip("="),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        quote(VALUE),
        quote(VALUE, safe=""),
        quote(VALUE, safe="").lower(),
        quote_plus(VALUE),
        json.dumps(VALUE)[1:-1],
        json.dumps(json.dumps(VALUE))[3:-3],
        # As .NET writes JSON, and as its HttpUtility writes a URL
        r"pass/word\u002B1=\u0026x \u0022y\u0027",
        "pass%2fword%2b1%3d%26x+%22y%27",
    ],
)
def test_a_value_is_masked_in_every_encoding(form: str) -> None:
    assert redactor(token=VALUE).text(f"before {form} after") == f"before {MASK} after"


@pytest.mark.parametrize("beside", ["", "u", "us"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_value_is_masked_within_a_longer_base64(beside: str, encode: Any) -> None:
    """As in the header of basic authentication, and in a Secret that another one quotes."""
    value = "Pass?word>1~canary"
    shown = encode(f"{beside}{value}:{beside}".encode()).decode()
    masked = redactor(token=value).text(f"Basic {shown}")
    assert MASK in masked
    assert len(masked) <= len(f"Basic {MASK}") + 9, "but for the characters that have bits of what is beside it"


def test_a_percent_encoded_value_keeps_its_own_letters() -> None:
    assert redactor(token="Pass/Word+Canary").text("?t=Pass%2fWord%2bCanary") == f"?t={MASK}"


def test_how_often_a_text_showed_a_value() -> None:
    assert redactor(token=VALUE).counted(f"{VALUE} and {ENCODED}, but not pass") == (
        f"{MASK} and {MASK}, but not pass",
        2,
    )


def test_the_password_in_an_address_of_redis_is_masked_by_itself() -> None:
    known = redactor(url="redis:6379,user=agentsmith,password=pa=ss+word,abortConnect=false")
    assert known.text("AUTH agentsmith pa=ss+word refused") == f"AUTH agentsmith {MASK} refused"


@pytest.mark.parametrize(
    "url", ["redis://:pw-secret-77@redis:6379", "rediss://me:pw-secret-77@redis:6379/0,abortConnect=false"]
)
def test_the_password_in_a_url_is_masked_where_the_app_shows_another_part_of_it(url: str) -> None:
    shown = redactor(url=url).text("UnableToConnect on redis://:pw-secret-77@10.0.0.7:6379/Interactive")
    assert shown == f"UnableToConnect on redis://:{MASK}@10.0.0.7:6379/Interactive"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("me:pw-secret-77@redis:6379,abortConnect=false", "UnableToConnect on me:{}@redis:6379/Interactive"),
        ("redis://pw-secret-77@redis:6379,ssl=true", "UnableToConnect on redis:{}@redis:6379"),
        ("me:pw@secret:77@redis:6379,ssl=true", "UnableToConnect on me:{}@redis:6379"),
        ("redis:6379, Password = pw-secret-77\n", "AUTH {} refused"),
    ],
)
def test_the_password_is_masked_wherever_in_an_address_it_stands(url: str, said: str) -> None:
    password = "pw@secret:77" if "pw@" in url else "pw-secret-77"
    shown = said.format(password).replace("redis:pw", "redis://pw")
    assert redactor(url=url).text(shown) == said.format(MASK)


def test_the_login_of_a_registry_is_masked_by_itself() -> None:
    login = {
        "username": "robot",
        "password": "registry-canary",
        "auth": base64.b64encode(b"robot:registry-canary").decode(),
    }
    known = redactor(config=json.dumps({"auths": {"registry.example.com": login, "odd": None}}))
    assert known.text("robot pulls with registry-canary") == f"robot pulls with {MASK}"
    assert known.text(f"Basic {login['auth']}") == f"Basic {MASK}"
    assert redactor(odd='{"auths": 1}').text("robot") == "robot"


def test_an_address_of_mail_masks_no_word_of_it() -> None:
    assert redactor(mail="agentsmith@example.com").text("agentsmith is ready") == "agentsmith is ready"


def test_each_long_line_of_a_value_is_masked() -> None:
    text = redactor(key=KEY_FILE).text("log: MIIEvgIBADANBgkqhkiG9w0BAQEFAASC failed")
    assert text == f"log: {MASK} failed"


def test_a_value_that_begins_another_one_does_not_leave_its_rest() -> None:
    assert redactor(a="secretvalue", b="secretvalue-and-more").text("secretvalue-and-more") == MASK


def test_a_short_value_is_masked_as_a_word_only() -> None:
    assert redactor(a="info").text("info in information") == f"{MASK} in information"


def test_values_that_guard_nothing_are_not_masked() -> None:
    assert redactor(a="1", b="", c="no").text("1 of 2, no MQ== bm8=") == "1 of 2, no MQ== bm8="


def test_binary_values_are_masked_in_base64() -> None:
    known = Redactor()
    body = secret()
    body["data"] = {"a": base64.b64encode(b"\xff\xfe\xfd\xfc\xfb").decode()}
    known.learn([body])
    assert known.text(f"x {body['data']['a']}") == f"x {MASK}"


def test_a_tree_is_masked_throughout() -> None:
    tree = {"a": [VALUE, {"b": f"x{VALUE}"}, 1, None, True]}
    assert redactor(token=VALUE).tree(tree) == {"a": [MASK, {"b": f"x{MASK}"}, 1, None, True]}


def difference(known: Redactor, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, str]:
    """Return the diff entry of two states of one object."""
    return known.difference(Identity.of(before or after or {}), before, after)


def test_a_diff_of_a_secret_shows_key_names_and_that_a_value_changed() -> None:
    before, after = secret(a=VALUE, b="same-value"), secret(a="other-value", b="same-value", c="new-value")
    entry = difference(Redactor(), before, after)
    lines_before = {line.split(":")[0].strip(): line for line in entry["before"].splitlines()}
    lines_after = {line.split(":")[0].strip(): line for line in entry["after"].splitlines()}
    assert lines_before["a"] != lines_after["a"]
    assert lines_before["b"] == lines_after["b"]
    assert "c" in lines_after
    for body in (before, after):
        for value in body["data"].values():
            assert value not in str(entry)
            assert base64.b64decode(value).decode() not in str(entry)


def test_the_digest_is_of_the_run_and_of_the_key() -> None:
    one, other = Redactor(), Redactor()
    first = difference(one, None, secret(a="same-value", b="same-value"))["after"]
    second = difference(other, None, secret(a="same-value", b="same-value"))["after"]
    assert first != second
    digests = [line.split("digest ")[1] for line in first.splitlines() if "digest" in line]
    assert digests[0] != digests[1]


def test_a_diff_leaves_the_servers_bookkeeping_out() -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "c",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "t",
            "managedFields": [],
            "annotations": {
                "deployment.kubernetes.io/revision": "1",
                LAST_APPLIED_ANNOTATION: '{"a": "old"}',
                "x": "y",
            },
        },
        "data": {"agentsmith.yml": "a: 1\nb: 2\n"},
        "status": {"x": 1},
    }
    assert difference(Redactor(), body, None)["before"] == (
        "apiVersion: v1\n"
        "data:\n  agentsmith.yml: |\n    a: 1\n    b: 2\n"
        "kind: ConfigMap\n"
        f"metadata:\n  annotations:\n    {LAST_APPLIED_ANNOTATION}: '{MASK}'\n    x: y\n"
        "  name: c\n  namespace: n\n"
    )


def test_a_diff_masks_a_known_value_in_other_objects_too() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x secretvalue"}}
    assert "secretvalue" not in difference(redactor(token="secretvalue"), None, config_map)["after"]


def test_creation_and_deletion_have_an_empty_side() -> None:
    body = secret(a=VALUE)
    created, deleted = difference(Redactor(), None, body), difference(Redactor(), body, None)
    assert created["before"] == deleted["after"] == ""
    assert created["before_header"] == deleted["after_header"] == "Secret n/s (absent)"
