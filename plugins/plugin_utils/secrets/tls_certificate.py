# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a certificate with its key can serve a host: what a browser, and Slack, would refuse, found beforehand.

The rules are those of TLS servers and their clients: RFC 8446, section 4.4.2 (the server's own certificate first, each
following one certifies the one before), and RFC 9525 (only the subject alternative names count, a wildcard stands for
one whole label). No text from here quotes a key.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..text.counted import counted

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
except ImportError:  # ansible-core has it installed; ansible-test imports this file without
    pass

WARNING_PERIOD = timedelta(days=30)
"""How long before its end a certificate draws a warning: what an authority that renews by itself leaves."""


@dataclass
class Verdict:
    """What is wrong, and what soon will be: "has expired on 2026-01-31". Each text goes on after the thing's name."""

    certificate_faults: list[str] = field(default_factory=list)
    key_faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def judge(certificate: str, key: str, host: str, now: datetime) -> Verdict:
    """Judge a PEM chain and its PEM key for *host*, a DNS name or an IP address, at the time *now* (with time zone)."""
    verdict = Verdict()
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        verdict.certificate_faults.append("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
        return verdict
    verdict.certificate_faults += [*_order_faults(chain), *_host_faults(chain[0], host), *_expired(chain, now)]
    verdict.key_faults += _key_faults(key, chain[0])
    end = min(entry.not_valid_after_utc for entry in chain)
    if now <= end < now + WARNING_PERIOD:
        verdict.warnings.append(f"expires on {end:%Y-%m-%d}, in {counted((end - now).days, 'day')}: renew it")
    return verdict


def _order_faults(chain: Sequence[Any]) -> list[str]:
    for number, (entry, issuer) in enumerate(zip(chain, chain[1:], strict=False), start=1):
        try:
            entry.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return [
                f"has its certificates in the wrong order, or one is missing: number {number} ({_name(entry.subject)}) "
                f"was issued by {_name(entry.issuer)}, and number {number + 1} is {_name(issuer.subject)}. The "
                "server's own certificate comes first, then the certificate of its issuer, and so on"
            ]
    return []


def _host_faults(leaf: Any, host: str) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [f"names no host (it has no subject alternative names), so it is not for {host}"]
    patterns = names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    if any(_matches(pattern, host) for pattern in patterns) or host in map(str, addresses):
        return []
    return [f"is for {', '.join([*patterns, *map(str, addresses)]) or 'no host'}, not for {host}"]


def _matches(pattern: str, host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pattern, host = pattern.lower(), host.lower()
        return pattern == host or (pattern.startswith("*.") and pattern[1:] == f".{host.partition('.')[2]}")
    return False  # a DNS name never stands for an address


def _expired(chain: Sequence[Any], now: datetime) -> list[str]:
    faults = []
    for entry in chain:
        if entry.not_valid_after_utc < now:
            faults.append(f"has expired on {entry.not_valid_after_utc:%Y-%m-%d} ({_name(entry.subject)})")
        if entry.not_valid_before_utc > now:
            faults.append(f"is not valid before {entry.not_valid_before_utc:%Y-%m-%d} ({_name(entry.subject)})")
    return faults


def _key_faults(key: str, leaf: Any) -> list[str]:
    try:
        loaded = serialization.load_pem_private_key(key.encode(), password=None)
    except TypeError:
        return ["is encrypted, and a Secret has no place for the passphrase: decrypt it; Vault protects it"]
    except Exception:  # noqa: BLE001  cryptography has many; what each says might quote the key
        return ["holds no private key in PEM"]
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if loaded.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        return [f"is not the key of the certificate ({_name(leaf.subject)})"]
    return []


def _name(subject: Any) -> str:
    return subject.rfc4514_string() or "no name"
