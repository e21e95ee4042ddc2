# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the schemas of an API server are read, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Response
from ansible_collections.agentsmith.platform.plugins.plugin_utils.apply.published_schemas import PublishedSchemas
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from fake_connection import FakeConnection

PROPERTIES = {"description": {"type": "string"}, "size": {"type": "integer", "description": "of what is described"}}
DOCUMENT = {"components": {"schemas": {"example.Thing": {"type": "object", "properties": PROPERTIES}}}}
# A field may be called description
KEPT = {"example.Thing": {"type": "object", "properties": {**PROPERTIES, "size": {"type": "integer"}}}}
INDEX, CORE, EXAMPLE = "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/example.com/v1"


class Server(FakeConnection):
    """Answers with documents as texts."""

    def request(self, method: str, path: str, **details: Any) -> Any:
        """Answer like Connection.request()."""
        assert method == "GET" and details == {"accept": "*/*"}
        answer = self.get(path).body
        return Response(200, answer if isinstance(answer, str) else json.dumps(answer))


def published(documents: Mapping[str, Any], hashed: Mapping[str, Any] | None = None) -> Server:
    """Return a server of these documents, by path, which names the hashes of *hashed*, of the documents by default."""
    texts = {path: json.dumps(document) for path, document in (documents if hashed is None else hashed).items()}
    hashes = {path: hashlib.sha512(text.encode()).hexdigest().upper() for path, text in texts.items()}
    paths = {path.removeprefix(f"{INDEX}/"): {"serverRelativeURL": f"{path}?hash={hashes[path]}"} for path in texts}
    return Server({INDEX: {"paths": paths}, **documents})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the documents are kept."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "agentsmith.platform/schemas"


@pytest.fixture
def schemas() -> Iterator[Callable[[Server], PublishedSchemas]]:
    """Begin a run on a server."""
    with ThreadPoolExecutor(2) as executor:
        yield lambda server: PublishedSchemas(server, executor)  # type: ignore[arg-type]


Begin = Callable[[Server], PublishedSchemas]


def test_each_document_is_read_once_and_may_be_missing(schemas: Begin) -> None:
    server = published({EXAMPLE: DOCUMENT, CORE: ApiError(403, "Forbidden", "not for you")}, hashed={EXAMPLE: DOCUMENT})
    run = schemas(server)
    wanted = {"example.com/v1": KEPT, "v1": {}, "apps/v1": {}}
    assert run.of(["example.com/v1", "v1", "apps/v1", "example.com/v1"]) == run.of(wanted) == wanted
    assert sorted(server.asked) == [INDEX, CORE, "/openapi/v3/apis/apps/v1", EXAMPLE]


def test_a_later_run_asks_for_the_hashes_alone(schemas: Begin, cache: Path) -> None:
    assert schemas(published({EXAMPLE: DOCUMENT})).of(["example.com/v1"]) == {"example.com/v1": KEPT}
    (file,) = cache.iterdir()
    assert file.name == hashlib.sha512(json.dumps(DOCUMENT).encode()).hexdigest()
    server = published({EXAMPLE: DOCUMENT})
    assert schemas(server).of(["example.com/v1"]) == {"example.com/v1": KEPT}
    assert server.asked == [INDEX]


def test_another_document_is_read(schemas: Begin) -> None:
    schemas(published({EXAMPLE: DOCUMENT})).of(["example.com/v1"])
    server = published({EXAMPLE: {}})
    assert schemas(server).of(["example.com/v1"]) == {"example.com/v1": {}}
    assert server.asked == [INDEX, EXAMPLE]


@pytest.mark.parametrize("hashed", [{EXAMPLE: {"another": "document"}}, {}])
def test_what_has_not_the_published_hash_is_not_kept(schemas: Begin, cache: Path, hashed: dict[str, Any]) -> None:
    """A server that lies, one of several that is of another version, or one that names no hash."""
    server = published({EXAMPLE: DOCUMENT}, hashed)
    assert schemas(server).of(["example.com/v1"]) == {"example.com/v1": KEPT}
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("link", ["", "?hash=", "?hash=../../secret", f"?hash={'/' * 128}"])
def test_a_hash_that_is_none_names_no_file(schemas: Begin, cache: Path, link: str) -> None:
    server = published({EXAMPLE: DOCUMENT})
    server.answers[INDEX] = {"paths": {"apis/example.com/v1": {"serverRelativeURL": f"{EXAMPLE}{link}"}}}
    assert schemas(server).of(["example.com/v1"]) == {"example.com/v1": KEPT}
    assert list(cache.iterdir()) == []


def test_a_page_instead_of_a_document_judges_nothing(schemas: Begin) -> None:
    server = published({EXAMPLE: "<html>"})
    assert schemas(server).of(["example.com/v1"]) == {"example.com/v1": {}}


def test_an_outage_is_not_taken_for_a_server_without_schemas(schemas: Begin) -> None:
    server = published({EXAMPLE: ApiError(500, "InternalError", "down")}, hashed={})
    with pytest.raises(ApiError, match="down"):
        schemas(server).of(["example.com/v1"])
