# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets that cert-manager has filled for Certificates of a release: they carry no label of the release."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from ..api.connection import MERGE_PATCH, Connection
from ..api.discovery import Discovery
from ..apply.owned_objects import list_metadata
from ..objects.kinds import CERTIFICATE, CERTIFICATE_ANNOTATION, kind_of_body
from ..objects.labels import INSTANCE_LABEL, MANAGED_BY, MANAGED_BY_LABEL, annotations_of
from ..objects.managed_fields import FIELD_MANAGER
from ..objects.owner import Owner

SECRETS = ("", "Secret")


def find_issued(
    connection: Connection, executor: Executor, discovery: Discovery, owner: Owner, objects: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the Secrets of the Certificates among *objects*, their metadata only; not those that go with them."""
    names = {live["metadata"]["name"] for live in objects if kind_of_body(live).key == CERTIFICATE}
    if not names:
        return []
    secrets = list_metadata(connection, executor, discovery, owner.namespace, {SECRETS}, cluster_scoped=False)
    return [
        live
        for live in secrets.objects
        if annotations_of(live).get(CERTIFICATE_ANNOTATION) in names
        and not live["metadata"].get("ownerReferences")
        and live not in objects
    ]


def claim(connection: Connection, owner: Owner, secrets: Sequence[dict[str, Any]]) -> None:
    """Mark Secrets as ours, so that the next run finds them if this one dies."""
    labels = {MANAGED_BY_LABEL: MANAGED_BY, INSTANCE_LABEL: owner.instance}
    for live in secrets:
        path = f"/api/v1/namespaces/{owner.namespace}/secrets/{live['metadata']['name']}"
        body = {"metadata": {"uid": live["metadata"]["uid"], "labels": labels}}
        query = {"fieldManager": FIELD_MANAGER}
        connection.request("PATCH", path, query=query, body=body, content_type=MERGE_PATCH)
