# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rotation takes from a release, what it refuses by the preview, and what it says in the end."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.identity import Identity
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.rotation_rules import Rotation

SECRET = Identity("v1", "Secret", "n", "s")
DIGEST = "spec.template.metadata.annotations[agentsmith.platform/secret-digest]"


def body(kind: str, name: str, namespace: str = "n", reads: str = "", api_version: str = "apps/v1") -> dict[str, Any]:
    """Return an object, perhaps one whose pods read a Secret."""
    env = [{"name": "X", "valueFrom": {"secretKeyRef": {"name": reads, "key": "github-token"}}}] if reads else []
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "env": env}]}}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"template": template}}


STATED = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "namespace": "n"},
    "data": {"github-token": "YQ==", "anthropic-api-key": "YQ==", "jira-token": "YQ=="},
}
DISPATCHER = body("Deployment", "dispatcher", reads="s")
OTHERS = [
    body("Deployment", "redis"),
    body("Deployment", "elsewhere", namespace="m", reads="s"),
    body("Deployment", "other", reads="t"),
    body("Job", "job", reads="s", api_version="batch/v1"),
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t", "namespace": "n"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s", "namespace": "n"}},
]


def of_secret(*changed: str, fields: list[str] | None = None, result: str = "updated") -> dict[str, Any]:
    """Return the entry of the Secret in the result of a preview."""
    entry = {"kind": "Secret", "name": "s", "result": result}
    return {**entry, "fields": fields or [f"data.{key}" for key in changed], "changed_keys": list(changed)}


def of_dispatcher(*fields: str, changed: tuple[str, ...] = (), result: str = "updated") -> dict[str, Any]:
    """Return the entry of a workload that reads github-token and jira-token."""
    reads = [{"secret": "s", "names": ["github-token", "jira-token"], "changed": list(changed)}]
    return {"kind": "Deployment", "name": "dispatcher", "result": result, "fields": list(fields), "secret_keys": reads}


def rotation(*keys: str, own: bool = True) -> Rotation:
    """Return a rotation; the Secret is our *own* or made by others."""
    return Rotation([*OTHERS, DISPATCHER, *([STATED] if own else [])], SECRET, keys)


def test_the_secret_and_its_readers_take_part_alone() -> None:
    assert [Identity.of(taken) for taken in rotation("x").objects] == [Identity.of(DISPATCHER), SECRET]
    assert [Identity.of(taken) for taken in rotation("x", own=False).objects] == [Identity.of(DISPATCHER)]


def test_what_is_wrong_before_the_cluster_is_asked() -> None:
    assert "No key is named" in rotation().input_faults()[0]
    assert "is not among the objects, and no workload" in Rotation(OTHERS, SECRET, ["x"]).input_faults()[0]
    immutable = Rotation([{**STATED, "immutable": True}], SECRET, ["github-token"])
    assert "is immutable" in immutable.input_faults()[0]
    assert rotation("github-token").input_faults() == []


@pytest.mark.parametrize("own", [True, False])
def test_the_password_of_the_bundled_redis_is_no_matter_of_one_secret(own: bool) -> None:
    users = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis-acl", "namespace": "n"}}
    elsewhere = {**users, "metadata": {"name": "redis-acl", "namespace": "m"}}
    bodies = [*OTHERS, DISPATCHER, *([STATED] if own else [])]
    (fault,) = Rotation([*bodies, users], SECRET, ["github-token", "redis-url"]).input_faults()
    assert fault.startswith("redis-url of Secret n/s contains the password of the bundled Redis")
    assert "Secret n/redis-acl would change as well" in fault
    assert "agentsmith.platform.deploy deploys the whole release" in fault
    assert Rotation([*bodies, users], SECRET, ["github-token"]).input_faults() == []
    assert Rotation([*bodies, elsewhere], SECRET, ["redis-url"]).input_faults() == []


@pytest.mark.parametrize("own", [True, False])
def test_a_password_of_redis_is_not_taken_away_either(own: bool) -> None:
    labels = {"app.kubernetes.io/managed-by": "agentsmith.platform", "app.kubernetes.io/instance": "a"}
    metadata = {"name": "redis-acl", "namespace": "n"}
    ours, of_others = {"metadata": {**metadata, "labels": labels}}, {"metadata": metadata}
    bodies = [
        {**each, "metadata": {**each["metadata"], "labels": labels}}
        for each in [*OTHERS, DISPATCHER, *([STATED] if own else [])]
    ]
    rotated = Rotation(bodies, SECRET, ["redis-url"])
    assert rotated.input_faults() == []
    (fault,) = rotated.live_faults(ours)
    assert fault.startswith("The bundled Redis still has a password: Secret n/redis-acl exists")
    assert "agentsmith.platform.deploy deploys the whole release" in fault
    assert rotated.live_faults(None) == rotated.live_faults(of_others) == []
    assert Rotation(bodies, SECRET, ["github-token"]).live_faults(ours) == []


ALLOWED: dict[str, tuple[Rotation, list[dict[str, Any]]]] = {
    "a key that a workload reads": (rotation("github-token"), [of_secret("github-token"), of_dispatcher(DIGEST)]),
    "a key that nobody reads": (rotation("anthropic-api-key"), [of_secret("anthropic-api-key"), of_dispatcher()]),
    "two keys": (
        rotation("jira-token", "anthropic-api-key"),
        [of_secret("anthropic-api-key", "jira-token"), of_dispatcher(DIGEST)],
    ),
    "the first annotation of the template": (
        rotation("github-token"),
        [of_secret("github-token"), of_dispatcher("spec.template.metadata.annotations")],
    ),
    "the copy that kubectl left goes": (
        rotation("github-token"),
        [
            of_secret(
                "github-token",
                fields=["data.github-token", "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]"],
            ),
            of_dispatcher(DIGEST),
        ],
    ),
    "a field with the same value under another owner": (
        rotation("github-token"),
        [of_secret("github-token", fields=["data.github-token", "data.jira-token"]), of_dispatcher(DIGEST)],
    ),
    "a rotation that was interrupted": (
        rotation("github-token"),
        [of_secret(result="unchanged"), of_dispatcher(DIGEST)],
    ),
    "a Secret of others": (rotation("github-token", own=False), [of_dispatcher(DIGEST)]),
    "a key of a Secret of others that nobody reads": (rotation("anthropic-api-key", own=False), [of_dispatcher()]),
}

REFUSED: dict[str, tuple[Rotation, list[dict[str, Any]], str]] = {
    "another key": (
        rotation("github-token"),
        [of_secret("github-token", "jira-token"), of_dispatcher(DIGEST)],
        "jira-token of Secret n/s would change as well. Name every key",
    ),
    "an unchanged key": (
        rotation("github-token", "jira-token"),
        [of_secret("github-token"), of_dispatcher()],
        "jira-token already has this value in Secret n/s",
    ),
    "an unchanged key beside one that rolls the same workload": (
        rotation("github-token", "jira-token"),
        [of_secret("github-token"), of_dispatcher(DIGEST, changed=("github-token",))],
        "jira-token already has this value in Secret n/s",
    ),
    "an unchanged key that nobody reads": (
        rotation("anthropic-api-key"),
        [of_secret(result="unchanged"), of_dispatcher(DIGEST)],
        "anthropic-api-key already has this value",
    ),
    "an unknown key": (
        rotation("githubtoken"),
        [of_secret(result="unchanged"), of_dispatcher()],
        "githubtoken is no key of Secret n/s, which has anthropic-api-key, github-token, jira-token.",
    ),
    "a key that would go": (
        rotation("gitlab-token"),
        [of_secret("gitlab-token"), of_dispatcher()],
        "gitlab-token would be removed from Secret n/s",
    ),
    "a label of the Secret": (
        rotation("github-token"),
        [of_secret("github-token", fields=["data.github-token", "metadata.labels.x"]), of_dispatcher(DIGEST)],
        "Secret s would change in metadata.labels.x as well",
    ),
    "another field of the workload": (
        rotation("github-token"),
        [of_secret("github-token"), of_dispatcher(DIGEST, "spec.replicas")],
        "Deployment dispatcher would change in spec.replicas as well",
    ),
    "a Secret that is not there": (
        rotation("github-token"),
        [of_secret(result="created"), of_dispatcher(DIGEST)],
        "Secret s does not exist yet",
    ),
    "a workload that is not there": (
        rotation("github-token"),
        [of_secret("github-token"), of_dispatcher(result="created")],
        "Deployment dispatcher does not exist yet",
    ),
    "a Secret of others that has not changed": (
        rotation("github-token", own=False),
        [of_dispatcher()],
        "github-token has not changed in Secret n/s since the pods of Deployment dispatcher were started",
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_a_preview_may_show(case: str) -> None:
    subject, entries = ALLOWED[case]
    assert subject.preview_faults(entries) == []


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_preview_must_not_show(case: str) -> None:
    subject, entries, expected = REFUSED[case]
    faults = subject.preview_faults(entries)
    assert any(expected in fault for fault in faults), faults


def test_other_annotations_of_the_template_are_no_part_of_a_rotation() -> None:
    annotated = body("Deployment", "dispatcher", reads="s")
    annotated["spec"]["template"]["metadata"]["annotations"] = {"example.com/new": "x"}
    subject = Rotation([annotated, STATED], SECRET, ["github-token"])
    entries = [of_secret("github-token"), of_dispatcher("spec.template.metadata.annotations")]
    (fault,) = subject.preview_faults(entries)
    assert "Deployment dispatcher would change in spec.template.metadata.annotations" in fault


def test_the_report_says_what_rolled_and_what_did_not() -> None:
    entries = [of_secret("anthropic-api-key", "github-token"), of_dispatcher(DIGEST)]
    subject = rotation("github-token", "anthropic-api-key")
    assert subject.report(entries, dry_run=False) == [
        "github-token: changed; Deployment dispatcher rolled.",
        "anthropic-api-key: changed; nothing rolls, because only future pods read it, such as those of new Jobs.",
    ]
    assert subject.report(entries, dry_run=True)[0] == (
        "github-token: would be changed; Deployment dispatcher would roll."
    )
    assert subject.rolled(entries) == [{"kind": "Deployment", "name": "dispatcher"}]


def test_the_report_on_what_was_changed_earlier() -> None:
    interrupted = [of_secret(result="unchanged"), of_dispatcher(DIGEST)]
    assert rotation("github-token").report(interrupted, dry_run=False) == [
        "github-token: changed before; Deployment dispatcher rolled."
    ]
    assert rotation("github-token", own=False).report([of_dispatcher(DIGEST)], dry_run=False) == [
        "github-token: as it is in the cluster; Deployment dispatcher rolled."
    ]
    assert rotation("x", own=False).rolled([of_dispatcher()]) == []


def test_a_cron_job_takes_part_and_does_not_roll() -> None:
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "n"},
        "spec": {"jobTemplate": body("Job", "nightly", reads="s")},
    }
    reads = [{"secret": "s", "names": ["github-token"], "changed": ["github-token"]}]
    path = f"spec.jobTemplate.{DIGEST}"
    entry = {"kind": "CronJob", "name": "nightly", "result": "updated", "fields": [path], "secret_keys": reads}
    subject = Rotation([cron_job, STATED], SECRET, ["github-token"])
    entries = [of_secret("github-token"), entry]
    assert subject.preview_faults(entries) == []
    assert subject.rolled(entries) == []
    (told,) = subject.report(entries, dry_run=False)
    assert told.startswith("github-token: changed; nothing rolls, because only future pods read it")
    others = {**entry, "fields": [path, "spec.schedule"]}
    assert "CronJob nightly would change in spec.schedule as well" in subject.preview_faults([entries[0], others])[0]
