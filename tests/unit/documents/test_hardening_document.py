# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/hardening.md names as its proof is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENT = (CHECKOUT / "docs/hardening.md").read_text(encoding="utf-8")
PROOFS = sorted(set(re.findall(r"`((?:tests|molecule)/[\w/]+\.py)::(\w+)`", DOCUMENT)))


def test_there_are_proofs():
    assert len(PROOFS) > 50


@pytest.mark.parametrize(("file", "test"), PROOFS)
def test_a_proof_is_a_test(file, test):
    assert f"def {test}(" in (CHECKOUT / file).read_text(encoding="utf-8")
