# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between documents lead somewhere: the file is there, and the heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
ALL = [
    CHECKOUT / "README.md",
    *(file for part in ("docs", "docker", "roles", "dev") for file in sorted((CHECKOUT / part).rglob("*.md"))),
]
# Pages of the site lie elsewhere there; `make docs` follows their links.
DOCUMENTS = [file for file in ALL if "docsite" not in file.parts]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
# What an installed collection does not have is named by its address
OURS = "https://github.com/agentsmith-platform/agentsmith.platform/blob/main/"
CODE = re.compile(r"^( {4}|```).*$|`[^`]*`", re.MULTILINE)


def headings(document: Path) -> set[str]:
    """What GitHub makes of a document's headings: lower case, no punctuation, a hyphen for a blank."""
    lines = re.findall(r"^#+ +(.*?) *$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def links() -> list[tuple[Path, str]]:
    return [
        (document.relative_to(CHECKOUT), link)
        for document in DOCUMENTS
        for link in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    ]


def addresses() -> list[str]:
    found = "\n".join(document.read_text(encoding="utf-8") for document in [*DOCUMENTS, CHECKOUT / "CONTRIBUTING.md"])
    return re.findall(re.escape(OURS) + r"([^)\s]+)", found)


@pytest.mark.parametrize("address", addresses())
def test_an_address_in_the_repository_leads_somewhere(address):
    path, _, heading = address.partition("#")
    assert (CHECKOUT / path).exists()
    assert not heading or heading in headings(CHECKOUT / path)


def test_there_are_links():
    assert len(links()) > 50


@pytest.mark.parametrize(("document", "link"), links(), ids=lambda value: str(value))
def test_a_link_leads_somewhere(document, link):
    path, _, heading = link.partition("#")
    target = CHECKOUT / document.parent / path if path else CHECKOUT / document
    assert target.exists()
    assert not heading or heading in headings(target)
