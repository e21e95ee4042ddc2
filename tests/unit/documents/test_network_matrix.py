# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/hardening.md shows the matrix of tests/network_matrix.py. AGENTSMITH_WRITE_DOCS=1 writes it."""

from __future__ import annotations

from generated_part import agree, table
from network_matrix import rows


def test_the_document_shows_the_matrix() -> None:
    agree("docs/hardening.md", "connections", table(rows()))
