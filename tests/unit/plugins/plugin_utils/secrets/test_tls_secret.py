# SPDX-License-Identifier: GPL-3.0-or-later
"""A Secret that others make has to give the host its certificate."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.tls_secret import examine
from certificate_authority import NOW, issue
from cryptography import x509

HOST = "agentsmith.example.com"
ROOT = issue("root")
SERVER = issue("server", ROOT, (x509.DNSName(HOST),), days=(-1, 10))


def a_secret(certificate: str = SERVER.pem, key: str = SERVER.key_pem(), **changed: Any) -> dict[str, Any]:
    data = {
        "tls.crt": base64.b64encode(certificate.encode()).decode(),
        "tls.key": base64.b64encode(key.encode()).decode(),
    }
    return {"type": "kubernetes.io/tls", "data": data, **changed}


def test_a_sound_one_draws_its_warning_only() -> None:
    assert examine(a_secret(), HOST, NOW) == ([], ["its tls.crt expires on 2026-12-02, in 10 days: renew it"])


@pytest.mark.parametrize(
    ("live", "faults"),
    [
        (a_secret(type="Opaque"), ["its type is Opaque, not kubernetes.io/tls"]),
        (a_secret(data=None), ["its tls.crt or tls.key is missing or not text"]),
        (a_secret(data={"tls.crt": "/w==", "tls.key": "x"}), ["its tls.crt or tls.key is missing or not text"]),
        (a_secret(key=ROOT.key_pem()), ["its tls.key is not the key of the certificate (CN=server)"]),
        (a_secret(key="MARKED"), ["its tls.key holds no private key in PEM"]),
    ],
)
def test_what_is_wrong(live: dict[str, Any], faults: list[str]) -> None:
    assert examine(live, HOST, NOW)[0] == faults


def test_another_host() -> None:
    assert examine(a_secret(), "other.example.com", NOW)[0] == [f"its tls.crt is for {HOST}, not for other.example.com"]
