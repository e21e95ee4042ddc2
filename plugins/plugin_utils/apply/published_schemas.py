# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenAPI v3 schemas of the API server, each read once: those of one API version have a megabyte or more.

The server publishes the hash of each document (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3).
A document that has this hash is kept in a file of that name, for later runs and for other servers of the same version.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import Connection
from ..cache.private_files import PrivateFiles
from ..objects.errors import ApiError
from .openapi_schema import Schemas

INDEX = "/openapi/v3"
_HASH = re.compile(r"[?&]hash=([0-9A-Fa-f]{128})$")
_FORM = b"without descriptions"  # what is kept of a document
# Texts for people are most of a schema
_UNUSED = ("description", "example", "externalDocs")


class PublishedSchemas:
    """The schemas of one server, for as long as a run lasts."""

    def __init__(self, connection: Connection, executor: Executor) -> None:
        self._connection = connection
        self._executor = executor
        self._known: dict[str, Schemas] = {}

    def of(self, api_versions: Iterable[str]) -> dict[str, Schemas]:
        """Return the schemas of each API version. One that the server publishes none for, or not to us, has none."""
        wanted = sorted(set(api_versions))
        missing = [name for name in wanted if name not in self._known]
        if missing:
            hashes, files = self._hashes(), PrivateFiles("schemas")

            def read(api_version: str) -> Schemas:
                return self._read(_path(api_version), hashes, files)

            self._known.update(zip(missing, concurrently(self._executor, read, missing), strict=True))
        return {name: self._known[name] for name in wanted}

    def _read(self, path: str, hashes: Mapping[str, str], files: PrivateFiles) -> Schemas:
        published = hashes.get(path, "")
        kept = files.read(published, _FORM) if published else None
        if kept is not None:
            found: Schemas = json.loads(kept)
            return found
        try:
            text = self._connection.request("GET", f"{INDEX}/{path}", accept="*/*").body
        except ApiError as error:
            if error.status in (403, 404):
                return {}
            raise
        document = _decoded(text)
        schemas: Schemas = _checked_part((document.get("components") or {}).get("schemas") or {})
        # Another API server than the one that named the hash may have answered
        if published and hashlib.sha512(text.encode()).hexdigest() == published:
            files.write(published, _FORM, json.dumps(schemas).encode())
        return schemas

    def _hashes(self) -> dict[str, str]:
        """Return what the server says of its documents, by their path."""
        try:
            paths = self._connection.get(INDEX).body.get("paths") or {}
        except ApiError as error:
            if error.status in (403, 404):
                return {}
            raise
        hashes = {path: _HASH.search(entry.get("serverRelativeURL") or "") for path, entry in paths.items()}
        return {path: found[1].lower() for path, found in hashes.items() if found}


def _path(api_version: str) -> str:
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


def _decoded(text: str) -> dict[str, Any]:
    """Return a document; an empty one where something else than the API server answers."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _checked_part(value: Any) -> Any:
    """Return a schema without what nobody checks. A field of an object may have the same name."""
    if isinstance(value, list):
        return [_checked_part(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _checked_part(entry)
        for key, entry in value.items()
        if not (key in _UNUSED and not isinstance(entry, dict))
    }
