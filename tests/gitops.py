# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that no deploy has made: rendered, given to `kubectl apply -k`, with Secrets made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from namespaces import removed

NAMESPACE = "agentsmith-gitops"
WORKLOADS = ("deployment/redis", "deployment/agentsmith-dispatcher")


@contextmanager
def applied(
    kubectl: Callable[..., str], manifests: Path, secrets: Iterable[dict[str, Any]], directory: Path
) -> Iterator[None]:
    """Bring a rendered release up, and remove its namespace in the end.

    :param manifests: what render.yml wrote
    :param secrets: Secrets of another release, whose values this one gets
    """
    file = directory / "secrets.json"
    bodies = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": secret["type"],
            "metadata": {"name": secret["metadata"]["name"], "namespace": NAMESPACE},
            "data": secret["data"],
        }
        for secret in secrets
    ]
    file.touch(mode=0o600)
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies}))
    with removed(kubectl, NAMESPACE):
        kubectl("apply --server-side -k %s", str(manifests))
        kubectl("create -f %s", str(file))
        for workload in WORKLOADS:
            kubectl(f"-n {NAMESPACE} rollout status {workload} --timeout=120s")
        yield
