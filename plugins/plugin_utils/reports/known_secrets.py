# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of a namespace as far as they may be read, so that their values can be masked in what others wrote."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..api.connection import Connection
from ..apply.live_lists import list_items
from ..objects.errors import ApiError, ApplyError
from ..objects.owner import Owner
from ..release.record import RECORD_TYPE, ReleaseRecord
from ..secrets.redaction import SHORTEST_MASKED, Redactor, size_of

LARGEST_MASKED = 64 * 1024  # bytes; a larger value is an archive or the like, which nobody prints


@dataclass
class KnownSecrets:
    """``read``: the Secrets that could be read. ``recorded``: the objects in the release record, with older values.

    ``not_read``: what could not be read, and why. ``not_masked``: `secret/key` of values that are not looked for.
    """

    read: list[dict[str, Any]] = field(default_factory=list)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    not_read: dict[str, str] = field(default_factory=dict)
    not_masked: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of those that were read."""
        return sorted(secret["metadata"]["name"] for secret in self.read)

    def teach(self, redactor: Redactor) -> None:
        """Have *redactor* mask the values."""
        redactor.learn([_of_usual_size(secret, self) for secret in self.read])
        redactor.learn(self.recorded)
        # Who knows the UID of a Secret can try values against the digest on the pods (docs/decisions, 0008)
        redactor.hide(secret["metadata"].get("uid", "") for secret in self.read)


def read_secrets(connection: Connection, owner: Owner, names: Collection[str]) -> KnownSecrets:
    """Read the Secrets of the namespace.

    :param names: those that the release reads. They are asked for one by one if Secrets may not be listed.
    """
    found = KnownSecrets()
    path = f"/api/v1/namespaces/{owner.namespace}/secrets"
    try:
        found.read = list_items(connection, path, {})
    except ApiError as error:
        found.not_read["the list of the Secrets"] = str(error)
        _read_by_name(connection, path, names, found)
    except ApplyError as error:
        found.not_read["the list of the Secrets"] = str(error)
    found.read = [{**secret, "apiVersion": "v1", "kind": "Secret"} for secret in found.read]
    if any(secret.get("type") == RECORD_TYPE for secret in found.read):
        try:
            found.recorded = ReleaseRecord(connection, owner).read().bodies()
        except ApplyError as error:
            found.not_read["the values in the release record"] = str(error)
    return found


def _read_by_name(connection: Connection, path: str, names: Collection[str], found: KnownSecrets) -> None:
    for name in sorted(names):
        try:
            secret = connection.find(f"{path}/{name}")
        except ApplyError as error:
            found.not_read[f"Secret {name}"] = str(error)
        else:
            found.read += [secret] if secret else []


def _of_usual_size(secret: Mapping[str, Any], found: KnownSecrets) -> dict[str, Any]:
    """Return a Secret with the values that are looked for, and note the others."""
    data = {}
    for key, value in (secret.get("data") or {}).items():
        size, place = size_of(value), f"{secret['metadata']['name']}/{key}"
        if size > LARGEST_MASKED:
            found.not_masked[place] = f"it has more than {LARGEST_MASKED} bytes"
        elif 0 < size < SHORTEST_MASKED:
            found.not_masked[place] = f"it has fewer than {SHORTEST_MASKED} bytes, and so short a text is everywhere"
        else:
            data[key] = value
    return {"kind": "Secret", "data": data}
