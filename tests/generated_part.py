# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated parts of documents. AGENTSMITH_WRITE_DOCS=1 writes them, else they are compared."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, the first row as its heading."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def agree(name: str, part: str, text: str) -> None:
    """Check that the part of a document is *text*, or write it."""
    path = CHECKOUT / name
    document = path.read_text(encoding="utf-8")
    begin, end = f"<!-- generated: {part} -->\n", f"<!-- end: {part} -->"
    assert begin in document and end in document, f"{name} has no part {part}"
    replaced = re.sub(
        re.escape(begin) + ".*?" + re.escape(end), lambda _match: f"{begin}\n{text}\n\n{end}", document, flags=re.DOTALL
    )
    if os.environ.get("AGENTSMITH_WRITE_DOCS"):
        path.write_text(replaced, encoding="utf-8")
        return
    assert replaced == document, f"{name} is out of date. It should say:\n{text}"
