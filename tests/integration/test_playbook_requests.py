# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks send the requests that transactions.py sends, which the kill test and the fault table run instead.

Each step is taken twice, by the playbook and by transactions.py, in a namespace for each. A proxy records the requests.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.lock import LockSettings
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.record import (
    RECORD_TYPE,
    RECORDED_AT,
    RECORDED_BY,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release.restore import Failure
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_digest import DIGEST_ANNOTATION
from ansible_playbook import ansible_playbook
from control_plane import ControlPlane
from fault_proxy import FaultProxy, Seen, running_fault_proxy
from release_objects import a_release
from stand_in_kubelet import ready, stand_in_kubelet, waiting
from test_kill import BAD_IMAGE, a_bad_release, an_upgrade
from transactions import Release

Objects = list[dict[str, Any]]

# What differs between two runs of the same step: who runs, when, and what the API server numbers.
OF_ONE_RUN = {
    *("holderIdentity", "acquireTime", "renewTime", "resourceVersion", "uid"),
    *(RECORDED_BY, RECORDED_AT, DIGEST_ANNOTATION),
    *("at", "by", "commit", "dirty", "cause", "extra_variables"),  # of an entry of the history
}
# How often and at which moment a run looks at pods that start is no decision of the run.
LOOKS_AT_PODS = ("/pods", "/replicasets", "/events", "watch=1")
# So long that no run lasts until a renewal, which is due at any moment.
LOCK_DURATION = 600  # seconds
# Checks that need no kubelet. The namespace of a_release() enforces no Pod Security.
PASSING, FAILING = ["redis_rollout", "dispatcher_rollout"], ["pod_security"]


def pods_run(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a pod, which runs unless its image is the bad one. That cause ends a wait at once."""
    container = pod["spec"]["containers"][0]
    if container["image"] == BAD_IMAGE:
        return waiting("InvalidImageName", f'Failed to apply default image tag "{BAD_IMAGE}"', container["name"])
    return {**ready(), "podIP": "127.0.0.1"}


def is_read(seen: Seen) -> bool:
    """Tell whether a request stores nothing: a look, a dry run, or a review of rights."""
    return seen.method == "GET" or "dryRun=All" in seen.path or seen.path.startswith("/apis/authorization.k8s.io/")


def without_marks_of_the_run(value: Any) -> Any:
    """Return a body without the fields of OF_ONE_RUN, and with the recorded releases as what they say."""
    if isinstance(value, list):
        return [without_marks_of_the_run(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == RECORD_TYPE:
        unpacked = {key: json.loads(gzip.decompress(base64.b64decode(text))) for key, text in value["data"].items()}
        value = {**value, "type": "unpacked", "data": unpacked}
    return {key: without_marks_of_the_run(item) for key, item in value.items() if key not in OF_ONE_RUN}


def as_text(seen: Seen, namespace: str) -> str:
    """Return a request as it would be in any other run and namespace."""
    body = without_marks_of_the_run(json.loads(seen.body)) if seen.body else None
    return f"{seen.method} {seen.path} {json.dumps(body, sort_keys=True)}".replace(namespace, "NAMESPACE")


def decisions(requests: list[Seen], namespace: str) -> list[tuple[str, frozenset[str]]]:
    """Return what a run did: what it read before each group of writes, and what it wrote.

    Requests of one group run concurrently, so they have no order. A repeated one counts once: a rollout is looked at
    until it is complete, and a RoleBinding sent until the API server has seen its Role.
    """
    kept = [seen for seen in requests if not (is_read(seen) and any(part in seen.path for part in LOOKS_AT_PODS))]
    return [
        ("reads" if read else "writes", frozenset(as_text(seen, namespace) for seen in group))
        for read, group in groupby(kept, is_read)
    ]


@contextmanager
def recorder(control_plane: ControlPlane, namespace: str, directory: Path) -> Iterator[tuple[FaultProxy, Path]]:
    """A namespace-to-be whose pods run, the proxy that records what is done to it, and a kubeconfig with the proxy."""
    with running_fault_proxy(control_plane, tls=True) as proxy, stand_in_kubelet(control_plane, namespace, pods_run):
        kubeconfig = directory / f"{namespace}.kubeconfig"
        kubeconfig.write_text(control_plane.kubeconfig(server=proxy.url), encoding="utf-8")
        yield proxy, kubeconfig


class Playbooks:
    """The steps, taken by the playbooks of the collection with the objects of the tests.

    The role verify, which transactions.py leaves out, asks the API server past the proxy.
    """

    def __init__(self, control_plane: ControlPlane, namespace: str, recorded: Path) -> None:
        self.namespace = namespace
        self._directory = recorded.parent
        direct = recorded.with_suffix(".direct")
        direct.write_text(control_plane.kubeconfig(), encoding="utf-8")
        self._variables: dict[str, Any] = {
            "agentsmith_namespace": namespace,
            "agentsmith_context": "test",
            "agentsmith_lock_duration": LOCK_DURATION,
            "agentsmith_kubeconfig": f"{{{{ '{direct}' if ansible_role_name is defined else '{recorded}' }}}}",
        }

    def deploy(self, objects: Objects, checks: list[str]) -> int:
        """Run playbooks/deploy.yml with these objects and checks; return how it ended."""
        return self._run("deploy", release_objects=objects, verify_only=checks)

    def rollback(self) -> int:
        """Run playbooks/rollback.yml; return how it ended."""
        return self._run("rollback", verify_only=PASSING)

    def _run(self, playbook: str, **variables: Any) -> int:
        values = self._directory / "variables.json"
        values.write_text(json.dumps({**self._variables, **variables}), encoding="utf-8")
        ended = ansible_playbook(f"playbooks/{playbook}.yml", "--inventory=inventories/dev", f"--extra-vars=@{values}")
        print(ended.stdout, ended.stderr)
        return ended.returncode


class Steps:
    """The same steps, taken by transactions.py."""

    def __init__(self, namespace: str, recorded: Path) -> None:
        self.namespace = namespace
        self._release = Release(namespace, {"kubeconfig": str(recorded)}, LockSettings(LOCK_DURATION))

    def deploy(self, objects: Objects, checks: list[str]) -> int:
        """Deploy; return what the playbook would end with."""
        if checks == PASSING:
            return 2 if "restore" in self._release.deploy(objects) else 0
        applied = self._release.apply(objects)
        failure = Failure(applied["objects"], "a check failed")
        assert self._release.restore(holder=applied["transaction"]["holder"], failure=failure)["restored"]
        return 2

    def rollback(self) -> int:
        """Go back to the release before; return what the playbook would end with."""
        return 0 if self._release.restore("previous")["restored"] else 2


Taken = Callable[[Playbooks | Steps], int]
STEPS: dict[str, tuple[Taken, int, int]] = {
    # What is done, how it ends, and how many groups of writes it has at least
    "first deploy": (lambda by: by.deploy(a_release(by.namespace), PASSING), 0, 4),
    "unchanged": (lambda by: by.deploy(a_release(by.namespace), PASSING), 0, 0),
    "upgrade": (lambda by: by.deploy(an_upgrade(by.namespace), PASSING), 0, 4),
    "failed deploy": (lambda by: by.deploy(a_bad_release(by.namespace), PASSING), 2, 4),
    "failed verification": (lambda by: by.deploy(a_release(by.namespace), FAILING), 2, 4),
    "rollback": (lambda by: by.rollback(), 0, 3),
}


def test_the_playbooks_send_the_requests_of_the_steps(
    control_plane: ControlPlane, new_namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)  # what one has read, the other would not ask for
    first, second = f"{new_namespace}-playbooks", f"{new_namespace}-steps"
    with (
        recorder(control_plane, first, tmp_path) as (of_playbooks, one),
        recorder(control_plane, second, tmp_path) as (of_steps, other),
    ):
        playbooks, steps = Playbooks(control_plane, first, one), Steps(second, other)
        for name, (taken, end, writes) in STEPS.items():
            of_playbooks.seen.clear()
            of_steps.seen.clear()
            assert (taken(playbooks), taken(steps)) == (end, end), name
            sent, wanted = decisions(of_playbooks.seen, first), decisions(of_steps.seen, second)
            for number, ((_, by_playbook), (_, by_steps)) in enumerate(zip(sent, wanted, strict=False)):
                assert by_playbook ^ by_steps == set(), f"{name}, group {number}: requests of one of the two only"
            assert len(sent) == len(wanted), name
            assert sum(kind == "writes" for kind, _ in sent) >= writes, name
