# SPDX-License-Identifier: GPL-3.0-or-later
"""What else of the cluster a verdict needs: classes, Gateways of others, issuers. Who may not see them cannot tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..api.connection import Connection
from ..objects.errors import ApiError
from ..objects.identity import Identity

Body = Mapping[str, Any]


def path_of(identity: Identity) -> str:
    """Return the REST path of an object of a kind that is served (objects/kinds.py), or of what such a kind names."""
    plural = identity.kind.lower() + ("es" if identity.kind.endswith("s") else "s")
    scope = f"/namespaces/{identity.namespace}" if identity.namespace else ""
    return f"/apis/{identity.api_version}{scope}/{plural}/{identity.name}".rstrip("/")


class Surroundings:
    """The cluster around an object.

    :param connection: None: nothing but the object itself is looked at.
    :param issued: the Secrets that Certificates of the same release fill, by namespace and name.
    """

    def __init__(self, connection: Connection | None, issued: Sequence[tuple[str, str]] = ()) -> None:
        self._connection = connection
        self.issued = frozenset(issued)

    def objects(self, api_version: str, kind: str, namespace: str = "") -> list[Body] | None:
        """Return all objects of a kind, none where the server does not know it. None: we cannot see them."""
        if self._connection is None:
            return None
        try:
            found = self._connection.find(path_of(Identity(api_version, kind, namespace, "")))
        except ApiError:
            return None
        return (found or {}).get("items") or []

    def object(self, identity: Identity) -> Body | None:
        """Return an object, None where there is none. One that we cannot see is empty."""
        if self._connection is None:
            return {}
        try:
            return self._connection.find(path_of(identity))
        except ApiError:
            return {}


def issued_by(bodies: Sequence[Body]) -> list[tuple[str, str]]:
    """Return the Secrets that the Certificates among *bodies* fill, by namespace and name."""
    return [
        (body["metadata"].get("namespace") or "", str(name))
        for body in bodies
        if body["kind"] == "Certificate" and (name := (body.get("spec") or {}).get("secretName"))
    ]
