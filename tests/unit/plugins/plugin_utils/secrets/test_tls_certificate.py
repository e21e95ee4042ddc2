# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that Slack would refuse are found before they are applied."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.tls_certificate import judge
from certificate_authority import NOW, Issued, issue
from cryptography import x509

HOST = "agentsmith.example.com"
ROOT = issue("root", days=(-1, 900))
INTERMEDIATE = issue("intermediate", ROOT, days=(-1, 400))


def leaf(*hosts: str, days: tuple[int, int] = (-1, 90)) -> Issued:
    names = tuple(map(x509.DNSName, hosts or (HOST,)))
    return issue("server", INTERMEDIATE, names, days=days)


def test_a_sound_chain_has_no_fault() -> None:
    server = leaf()
    for chain in (server.pem + INTERMEDIATE.pem, server.pem + INTERMEDIATE.pem + ROOT.pem, server.pem):
        verdict = judge(chain, server.key_pem(), HOST, NOW)
        assert (verdict.certificate_faults, verdict.key_faults, verdict.warnings) == ([], [], [])


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (["*.example.com"], "agentsmith.example.com", True),
        (["*.example.com"], "a.b.example.com", False),
        (["*.example.com"], "example.com", False),
        (["other.example.com", "AgentSmith.Example.com"], "agentsmith.example.com", True),
        (["other.example.com"], "agentsmith.example.com", False),
        (["192.0.2.7"], "192.0.2.7", False),
    ],
)
def test_the_host_must_be_among_the_names(names: list[str], host: str, fits: bool) -> None:
    server = leaf(*names)
    faults = judge(server.pem, server.key_pem(), host, NOW).certificate_faults
    assert faults == ([] if fits else [f"is for {', '.join(names)}, not for {host}"])


def test_an_address_must_be_among_the_addresses() -> None:
    server = issue("server", INTERMEDIATE, (x509.IPAddress(ipaddress.ip_address("192.0.2.7")),))
    assert judge(server.pem, server.key_pem(), "192.0.2.7", NOW).certificate_faults == []
    assert "not for 192.0.2.8" in judge(server.pem, server.key_pem(), "192.0.2.8", NOW).certificate_faults[0]


def test_a_certificate_without_names_is_for_no_host() -> None:
    server = issue("server", INTERMEDIATE)
    assert "names no host" in judge(server.pem, server.key_pem(), HOST, NOW).certificate_faults[0]


def test_the_order_of_the_chain_counts() -> None:
    server = leaf()
    (fault,) = judge(server.pem + ROOT.pem + INTERMEDIATE.pem, server.key_pem(), HOST, NOW).certificate_faults
    assert "number 1 (CN=server) was issued by CN=intermediate, and number 2 is CN=root" in fault
    backwards = judge(INTERMEDIATE.pem + server.pem, server.key_pem(), HOST, NOW)
    assert "wrong order" in backwards.certificate_faults[0]
    assert backwards.key_faults == ["is not the key of the certificate (CN=intermediate)"]


@pytest.mark.parametrize(
    ("days", "fault", "warning"),
    [
        ((-90, -1), "has expired on 2026-11-21 (CN=server)", ""),
        ((1, 90), "is not valid before 2026-11-23 (CN=server)", ""),
        ((-1, 29), "", "expires on 2026-12-21, in 29 days: renew it"),
        ((-1, 31), "", ""),
    ],
)
def test_dates(days: tuple[int, int], fault: str, warning: str) -> None:
    server = leaf(days=days)
    verdict = judge(server.pem, server.key_pem(), HOST, NOW)
    assert verdict.certificate_faults == ([fault] if fault else [])
    assert verdict.warnings == ([warning] if warning else [])


def test_an_expired_intermediate_is_found() -> None:
    old = issue("old", ROOT, days=(-90, -2))
    server = issue("server", old, (x509.DNSName(HOST),))
    assert judge(server.pem + old.pem, server.key_pem(), HOST, NOW).certificate_faults == [
        "has expired on 2026-11-20 (CN=old)"
    ]


def test_the_key_must_be_the_certificates_own_and_readable() -> None:
    server = leaf()
    assert judge(server.pem, leaf().key_pem(), HOST, NOW).key_faults == [
        "is not the key of the certificate (CN=server)"
    ]
    assert (
        "is encrypted, and a Secret has no place for the passphrase"
        in judge(server.pem, server.key_pem(b"x"), HOST, NOW).key_faults[0]
    )
    for text in ("", "MARKED", server.pem, server.key_pem()[:90]):
        (fault,) = judge(server.pem, text, HOST, NOW).key_faults
        assert fault.startswith("holds no private key in PEM")


@pytest.mark.parametrize("text", ["", "MARKED", "-----BEGIN CERTIFICATE-----\nMARKED\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_named_and_not_quoted(text: str) -> None:
    assert judge(text, "MARKED", HOST, NOW).certificate_faults == [
        "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
    ]
