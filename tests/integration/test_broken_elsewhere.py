# SPDX-License-Identifier: GPL-3.0-or-later
"""APIs of others in the cluster that are broken: a release that does not use them is dealt with all the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import retry
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.teardown import Teardown, TeardownSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.drift import find_drift
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from awaiting import await_true
from control_plane import ControlPlane
from release_objects import a_release, an_object
from stand_in_kubelet import ready, stand_in_kubelet
from transactions import Release

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
MERGE = "application/merge-patch+json"
SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
NOWHERE = {"namespace": "nowhere", "name": "none"}
BROKEN, DOWN = "Broken (", "all of down.example.com/v1 (its server does not answer)"
LONGEST_PATIENCE = 30.0  # seconds; a run that repeats a request until the end of an outage takes 90


def versions(storage: str) -> list[dict[str, Any]]:
    return [{"name": name, "served": True, "storage": name == storage, "schema": SCHEMA} for name in ("v1", "v2")]


@pytest.fixture
def release(control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str) -> Iterator[Release]:
    """A release that is not installed yet, whose pods run."""
    with stand_in_kubelet(control_plane, new_namespace, lambda _pod: ready()):
        yield Release(new_namespace, connection_options)


@pytest.fixture
def broken_conversion(control_plane: ControlPlane, new_namespace: str) -> Iterator[Callable[[], None]]:
    """A kind of others with one object in their own namespace; calling it takes their conversion webhook away."""
    namespace = f"{new_namespace}-others"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    assert control_plane.request("POST", "/api/v1/namespaces", body)[0] == 201
    spec = {
        "group": "others.example.com",
        "scope": "Namespaced",
        "names": {"plural": "brokens", "singular": "broken", "kind": "Broken", "listKind": "BrokenList"},
        "versions": versions("v1"),
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "brokens.others.example.com"},
        "spec": spec,
    }
    path = f"{CRDS}/brokens.others.example.com"
    assert control_plane.request("POST", CRDS, definition)[0] == 201
    objects = f"/apis/others.example.com/v1/namespaces/{namespace}/brokens"
    every = "/apis/others.example.com/v2/brokens"
    body = {"apiVersion": "others.example.com/v1", "kind": "Broken", "metadata": {"name": "theirs"}}
    await_true(lambda: control_plane.request("POST", objects, body)[0] == 201)

    def convert_by(strategy: dict[str, Any], storage: str) -> None:
        patch = {"spec": {"conversion": strategy, "versions": versions(storage)}}
        status, answer = control_plane.request("PATCH", path, patch, MERGE)
        assert status == 200, answer

    def take_webhook_away() -> None:
        webhook = {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {**NOWHERE, "path": "/convert"}}}
        convert_by({"strategy": "Webhook", "webhook": webhook}, "v2")
        await_true(lambda: control_plane.request("GET", every)[0] >= 429)

    yield take_webhook_away
    convert_by({"strategy": "None", "webhook": None}, "v2")
    # v1 is what is stored: it is served without a conversion, with the webhook and without. Only v2 shows that it went.
    await_true(lambda: control_plane.request("GET", every)[0] == 200)
    # Where objects are left, the API server removes the kind only once it sees none, and looks in its own time.
    for metadata in [item["metadata"] for item in control_plane.get(every)["items"]]:
        one = f"/apis/others.example.com/v2/namespaces/{metadata['namespace']}/brokens/{metadata['name']}"
        assert control_plane.request("DELETE", one)[0] == 200
    await_true(lambda: control_plane.get(every)["items"] == [])
    assert control_plane.request("DELETE", path)[0] == 200
    await_true(lambda: control_plane.get(path) is None)


@pytest.fixture
def silent_api(control_plane: ControlPlane) -> Iterator[None]:
    """An aggregated API whose server is not there."""
    spec = {
        "group": "down.example.com",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "insecureSkipTLSVerify": True,
        "service": NOWHERE,
    }
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "spec": spec}
    path = f"{API_SERVICES}/v1.down.example.com"
    named = {**body, "metadata": {"name": "v1.down.example.com"}}
    assert control_plane.request("POST", API_SERVICES, named)[0] == 201
    await_true(lambda: "down.example.com" in json.dumps(control_plane.get("/apis")))
    yield
    assert control_plane.request("DELETE", path)[0] == 200
    await_true(lambda: "down.example.com" not in json.dumps(control_plane.get("/apis")))


def drift_of(release: Release, objects: list[dict[str, Any]]) -> dict[str, Any]:
    with Connection(release.options) as connection:
        report = find_drift(connection, objects, release.owner, Redactor())
        return {**report.as_dict(), "text": report.as_text()}


def teardown_of(release: Release) -> dict[str, Any]:
    with Connection(release.options) as connection:
        teardown = Teardown(connection, release.owner, TeardownSettings(timeout=20))
        teardown.execute()
        return teardown.result()


def test_a_dead_conversion_webhook_of_others(
    release: Release, broken_conversion: Callable[[], None], control_plane: ControlPlane
) -> None:
    objects = a_release(release.namespace)
    broken_conversion()
    started = time.monotonic()
    assert release.deploy(objects)["commit"]["recorded"]
    assert set(release.deploy(objects)) == {"apply"}
    report = drift_of(release, objects)
    assert report["in_sync"], report
    (unseen,) = report["not_looked_at"]
    assert unseen.startswith(BROKEN) and 'service "none" not found' in unseen
    assert "cannot be listed, so extra ones may be missing here: Broken (" in report["text"]
    # Other objects of the release are undone and pruned.
    failing = [*objects, an_object("v1", "ConfigMap", release.namespace, "added", data={})]
    applied = release.apply(failing)
    undone = release.restore(holder=applied["transaction"]["holder"])
    assert undone["restored"], undone
    assert any("Objects of the kind Broken cannot be listed" in warning for warning in undone["warnings"])
    assert control_plane.get(f"/api/v1/namespaces/{release.namespace}/configmaps/added") is None
    gone = teardown_of(release)
    assert len(gone["objects"]) == len(objects), gone  # the Namespace is none of them, the record is
    assert "Objects of these kinds cannot be listed: Broken (" in gone["text"]
    assert gone["namespace"]["result"] == "kept" and "Broken (" in gone["namespace"]["reason"]
    assert time.monotonic() - started < LONGEST_PATIENCE


@pytest.mark.usefixtures("silent_api")
def test_an_aggregated_api_of_others_that_is_down(release: Release) -> None:
    objects = a_release(release.namespace)
    started = time.monotonic()
    assert release.deploy(objects)["commit"]["recorded"]
    report = drift_of(release, objects)
    assert report["in_sync"] and report["not_looked_at"] == [DOWN], report
    gone = teardown_of(release)
    assert gone["not_looked_at"] == [DOWN] and len(gone["objects"]) == len(objects)
    # The namespace controller would wait for that API, and the namespace would be Terminating for ever.
    assert gone["namespace"]["result"] == "kept" and DOWN in gone["namespace"]["reason"]
    assert time.monotonic() - started < LONGEST_PATIENCE


@pytest.mark.usefixtures("silent_api")
def test_a_kind_of_a_silent_api_that_the_release_states(release: Release) -> None:
    objects = [*a_release(release.namespace), an_object("down.example.com/v1", "Widget", release.namespace, "ours")]
    result = release.deploy(objects)
    assert "the server behind the API down.example.com/v1 does not answer" in result["apply"]["msg"]
    assert "Nothing was changed" in result["apply"]["msg"] and not result["apply"]["changed"]
    with pytest.raises(ApplyError, match="does not answer"):
        drift_of(release, objects)


def test_a_broken_kind_that_the_release_states(
    release: Release, broken_conversion: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = a_release(release.namespace)
    ours = an_object("others.example.com/v1", "Broken", release.namespace, "ours")
    assert release.deploy([*objects, ours])["commit"]["recorded"]
    broken_conversion()
    # The patience with an outage itself is test_apply_faults' matter.
    monkeypatch.setattr(retry, "OUTAGE_PERIOD", 1.0)
    # What the last release had would stay behind, whatever the objects of this one are.
    for act in (lambda: teardown_of(release), lambda: drift_of(release, [*objects, ours])):
        with pytest.raises(ApplyError, match=r'service "none" not found'):
            act()
    failed = release.deploy(objects)["apply"]
    assert failed["failed"] and "Broken of others.example.com/v2 cannot be listed" in failed["msg"]
    assert not failed["changed"]
