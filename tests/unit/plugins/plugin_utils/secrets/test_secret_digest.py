# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the digest of a workload's secrets differ, and what does not."""

from __future__ import annotations

import base64
import hashlib
import json
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_digest import (
    DIGEST_ANNOTATION,
    PENDING,
    SecretDigests,
    changed_keys,
    state_after,
)

VALUES = {"read": "value-one", "optional": "value-two", "unread": "value-three"}


def encoded(value: str) -> str:
    """Return base64 of a text."""
    return base64.b64encode(value.encode()).decode()


def secret(name: str = "s", **values: str) -> dict[str, Any]:
    """Return a desired Secret."""
    data = {key: encoded(value) for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "n"}, "data": data}


def live(body: dict[str, Any], uid: str = "uid-1", manager: str = "agentsmith.platform") -> dict[str, Any]:
    """Return a Secret as the server holds it, with all its keys stated by one manager."""
    fields = {"f:data": {f"f:{key}": {} for key in body.get("data", {})}}
    record = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}
    return {**body, "metadata": {**body["metadata"], "uid": uid, "managedFields": [record]}}


def reader(*keys: str, optional: tuple[str, ...] = (), whole: bool = False, name: str = "s") -> dict[str, Any]:
    """Return a Deployment that reads keys of a Secret."""
    references = [{"name": name, "key": key, "optional": key in optional} for key in (*keys, *optional)]
    env = [{"name": f"V{at}", "valueFrom": {"secretKeyRef": entry}} for at, entry in enumerate(references)]
    container = {"name": "c", "env": env, **({"envFrom": [{"secretRef": {"name": name}}]} if whole else {})}
    spec = {"template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [container]}}}
    metadata = {"name": "d", "namespace": "n"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


READER = Identity.of(reader())


def learnt(bodies: list[dict[str, Any]], found: list[dict[str, Any]]) -> SecretDigests:
    """Return the digests of a run."""
    digests = SecretDigests(bodies)
    digests.learn({Identity.of(body): body for body in found})
    return digests


def annotation(workload: dict[str, Any]) -> str:
    """Return the annotation of a workload."""
    return workload["spec"]["template"]["metadata"]["annotations"][DIGEST_ANNOTATION]


def digest(workload: dict[str, Any], *found: dict[str, Any], desired: dict[str, Any] | None = None) -> str:
    """Return the digest that a workload gets with these live Secrets, and perhaps a desired one."""
    workload = deepcopy(workload)
    learnt([workload, *([desired] if desired else [])], list(found)).stamp()
    return annotation(workload)


READS = reader("read", optional=("optional",))
NOW = digest(READS, live(secret(**VALUES)))

DIFFERENT = {
    "another value": live(secret(**{**VALUES, "read": "other"})),
    "another value of an optional key": live(secret(**{**VALUES, "optional": "other"})),
    "an optional key that is gone": live(secret(**{key: VALUES[key] for key in ("read", "unread")})),
    "an optional key that is empty": live(secret(**{**VALUES, "optional": ""})),
    "values in each other's place": live(
        secret(**{**VALUES, "read": VALUES["optional"], "optional": VALUES["read"]}),
    ),
    "the Secret made anew": live(secret(**VALUES), uid="uid-2"),
}
SAME = {
    "nothing": live(secret(**VALUES)),
    "another value of a key that is not read": live(secret(**{**VALUES, "unread": "other"})),
    "a key that is not read is gone": live(secret(**{key: VALUES[key] for key in ("read", "optional")})),
    "a new key that is not read": live(secret(**VALUES, new="other")),
    "another manager": live(secret(**VALUES), manager="sealed-secrets"),
    "keys in another order": live(secret(**dict(reversed(VALUES.items())))),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_changes_the_digest(case: str) -> None:
    assert digest(READS, DIFFERENT[case]) != NOW


@pytest.mark.parametrize("case", SAME)
def test_what_leaves_the_digest_alone(case: str) -> None:
    assert digest(READS, SAME[case]) == NOW


def test_a_secret_among_the_objects_counts_as_it_will_be() -> None:
    old = live(secret(**{**VALUES, "read": "old"}))
    assert digest(READS, old, desired=secret(**VALUES)) == NOW


def test_the_digest_depends_on_the_name_of_the_secret_and_its_uid() -> None:
    """Two Secrets with equal values give different digests, so that equal values do not show."""
    one, two = live(secret("s", read="v"), uid="1"), live(secret("t", read="v"), uid="2")
    assert digest(reader("read"), one) != digest(reader("read", name="t"), two)
    same_name = live(secret("s", read="v"), uid="2")
    assert digest(reader("read"), one) != digest(reader("read"), same_name)


def test_the_digest_is_no_plain_hash() -> None:
    """Who knows names and values but not the UID must not be able to confirm a guess."""
    value = encoded("v")
    found = digest(reader("read"), live(secret(read="v")))
    guesses = ["v", value, json.dumps([[["s", "read"], value]]), json.dumps({"read": value}), "s\0read\0" + value]
    assert found not in {hashlib.sha256(guess.encode()).hexdigest() for guess in guesses}
    assert len(found) == 64
    assert "uid-1" not in found


def test_a_reader_of_the_whole_secret_reads_every_key() -> None:
    whole = reader(whole=True)
    before = digest(whole, live(secret(**VALUES)))
    assert digest(whole, live(secret(**{**VALUES, "unread": "other"}))) != before
    assert digest(whole, live(secret(**VALUES, new="x"))) != before


def test_that_an_optional_secret_comes_into_being_without_the_key_rolls_nothing() -> None:
    workload = reader(optional=("optional",))
    assert digest(workload) == digest(workload, live(secret(unread="x")))
    assert digest(workload) != digest(workload, live(secret(optional="x")))


def test_a_workload_without_secrets_gets_no_annotation() -> None:
    workload = reader()
    before = deepcopy(workload)
    learnt([workload], []).stamp()
    assert workload == before


def test_other_annotations_and_a_template_without_metadata() -> None:
    workload = reader("read")
    workload["spec"]["template"]["metadata"]["annotations"] = {"other": "x", DIGEST_ANNOTATION: "from somewhere"}
    learnt([workload], [live(secret(**VALUES))]).stamp()
    assert workload["spec"]["template"]["metadata"]["annotations"]["other"] == "x"
    bare = reader("read")
    del bare["spec"]["template"]["metadata"]
    learnt([bare], [live(secret(**VALUES))]).stamp()
    assert annotation(bare) == annotation(workload)


def test_a_secret_that_is_yet_to_be_created_is_waited_for() -> None:
    workload, desired = reader("read"), secret(**VALUES)
    digests = learnt([workload, desired], [])
    digests.stamp()
    assert annotation(workload) == PENDING
    digests.stamp_pending(READER, {Identity.of(desired): live(desired)})
    assert annotation(workload) == digest(reader("read"), live(desired))


def test_only_a_pending_annotation_is_replaced() -> None:
    workload, body = reader("read"), secret(**VALUES)
    digests = learnt([workload, body], [live(body)])
    digests.stamp()
    before = annotation(workload)
    digests.stamp_pending(READER, {Identity.of(body): live(body, uid="other")})
    assert annotation(workload) == before


def test_secrets_elsewhere_are_those_that_are_read_and_not_stated() -> None:
    other = reader("read", name="t")
    other["metadata"]["name"] = "e"
    digests = SecretDigests([reader("read"), other, secret("s", read="x"), secret("unread", key="x")])
    assert digests.elsewhere == [Identity("v1", "Secret", "n", "t")]


def test_what_is_missing_is_named() -> None:
    workload = reader("read", "gone", optional=("absent",))
    (fault,) = learnt([workload], [live(secret(**VALUES))]).missing()
    assert "Deployment n/d needs gone of Secret n/s, which has no such key. Its pods could not start." in fault
    (fault,) = learnt([reader("read", whole=True)], []).missing()
    assert "needs all of its keys, read of Secret n/s, which does not exist" in fault
    assert learnt([reader("read"), secret(read="x")], []).missing() == []
    assert learnt([reader(optional=("read",))], []).missing() == []


def test_a_required_key_that_this_run_removes_is_missing() -> None:
    bodies = [reader("read"), secret(unread="x")]
    (fault,) = learnt(bodies, [live(secret(read="x", unread="x"))]).missing()
    assert "needs read of Secret n/s" in fault


def test_a_token_that_the_cluster_fills_in_is_left_out() -> None:
    desired = {**secret(), "type": "kubernetes.io/service-account-token"}
    filled = live({**secret(token="t"), "type": desired["type"]})
    workload = reader("token")
    assert learnt([workload, desired], []).missing() == []
    assert digest(workload, desired=desired) == digest(workload, filled, desired=desired)


def test_the_keys_that_a_workload_reads() -> None:
    bodies = [reader("read", optional=("optional", "absent")), secret(**VALUES)]
    digests = learnt(bodies, [live(secret(**{**VALUES, "read": "old", "unread": "old"}))])
    expected = {"secret": "s", "names": ["absent", "optional", "read"], "changed": ["read"]}
    assert digests.keys_read(READER) == [expected]
    assert digests.keys_read(Identity.of(bodies[1])) == []


def test_all_keys_of_a_whole_secret_are_named_also_those_that_go() -> None:
    digests = learnt([reader(whole=True), secret(stays="x", new="x")], [live(secret(stays="x", goes="x"))])
    assert digests.keys_read(READER) == [{"secret": "s", "names": ["goes", "new", "stays"], "changed": ["goes", "new"]}]


def test_a_key_that_others_stated_stays_beside_ours() -> None:
    found = live(secret(ours="x", dropped="x", both="x", theirs="x"))
    records = found["metadata"]["managedFields"]
    del records[0]["fieldsV1"]["f:data"]["f:theirs"]
    fields = {"f:data": {"f:theirs": {}, "f:both": {}}, "f:type": {}}
    records.append({"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsV1": fields})
    assert sorted(state_after(secret(ours="y"), found).data) == ["both", "ours", "theirs"]
    assert changed_keys(secret(ours="y"), found) == ["dropped", "ours"]


def test_base64_is_compared_by_what_it_stands_for() -> None:
    desired = secret(key="a")
    desired["data"]["key"] = "YR=="  # decodes to "a", as YQ== does
    assert changed_keys(desired, live(secret(key="a"))) == []
