# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the number of replicas is: the release's, unless a HorizontalPodAutoscaler scales the workload.

A release that states a number beside an autoscaler would set it back with each deploy, and the autoscaler would set it
again. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..api.connection import Connection
from ..objects.errors import ApiError
from ..objects.identity import Identity
from ..objects.kinds import REPLICAS, kind_of_body
from ..objects.managed_fields import recorded_fields, value_at


def leave_replicas_to_autoscalers(
    connection: Connection, bodies: Sequence[dict[str, Any]], live: Mapping[Identity, dict[str, Any] | None]
) -> None:
    """Leave the number of replicas out of the workloads among *bodies* that an autoscaler scales.

    Costs a request for each namespace in which somebody else has changed a number. Zero stays: it stops the autoscaler.
    """
    changed = [body for body in bodies if value_at(body, REPLICAS) and _is_changed(body, live.get(Identity.of(body)))]
    for namespace in sorted({Identity.of(body).namespace for body in changed}):
        targets = _targets(connection, namespace)
        for body in changed:
            identity = Identity.of(body)
            if (identity.namespace, identity.group, identity.kind, identity.name) in targets:
                del body["spec"]["replicas"]


def _is_changed(body: Mapping[str, Any], live: Mapping[str, Any] | None) -> bool:
    if live is None or kind_of_body(body).pod_count != REPLICAS:
        return False
    ours = (recorded_fields(live).get("fieldsV1") or {}).get("f:spec") or {}
    return "f:replicas" not in ours or value_at(live, REPLICAS) != value_at(body, REPLICAS)


def _targets(connection: Connection, namespace: str) -> set[tuple[str, str, str, str]]:
    """Return what the autoscalers of a namespace scale; nothing where they cannot be listed."""
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    try:
        items = connection.request("GET", path, patience=0.0).body.get("items") or []
    except ApiError:
        return set()
    references = [item["spec"]["scaleTargetRef"] for item in items]
    return {
        (namespace, reference.get("apiVersion", "").rpartition("/")[0], reference["kind"], reference["name"])
        for reference in references
    }
