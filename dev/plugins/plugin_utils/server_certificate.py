# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate for what stands in for a host on the development machine, in files, by an authority made for it.

The authority's own key is never written, so it issues this one certificate alone. A client that trusts it trusts
nothing else.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.tls_certificate import judge

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:  # ansible-core's own requirement; only a bare import check of this file lacks it
    x509 = None

VALIDITY = timedelta(days=365)
_CLOCKS = timedelta(hours=1)
"""How far the clock of a virtual machine may be behind."""


@dataclass(frozen=True)
class Files:
    """Where the certificate, its private key and the authority's certificate are, all in PEM."""

    directory: Path

    @property
    def certificate(self) -> Path:
        return self.directory / "tls.crt"

    @property
    def key(self) -> Path:
        return self.directory / "tls.key"

    @property
    def authority(self) -> Path:
        return self.directory / "ca.crt"


def why_to_issue(files: Files, host: str, now: datetime) -> str:
    """Return what is wrong with the files for *host*, or soon will be; an empty text if nothing is."""
    texts = {}
    for path in (files.certificate, files.key, files.authority):
        try:
            texts[path] = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return f"{path} does not exist"
        except (OSError, UnicodeDecodeError):
            return f"{path} cannot be read"
    if stat.S_IMODE(files.key.stat().st_mode) & 0o077:
        return f"others may read {files.key}"
    verdict = judge(texts[files.certificate], texts[files.key], host, now)
    if faults := [*verdict.certificate_faults, *verdict.warnings]:
        return f"{files.certificate} {faults[0]}"
    if verdict.key_faults:
        return f"{files.key} {verdict.key_faults[0]}"
    try:
        authority = x509.load_pem_x509_certificate(texts[files.authority].encode())
        x509.load_pem_x509_certificate(texts[files.certificate].encode()).verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return f"{files.authority} is not the authority that issued {files.certificate}"
    return ""


def issue(files: Files, host: str, now: datetime) -> None:
    """Make an authority and a certificate of it for *host*, and write the files.

    If it is interrupted, the files do not fit each other, and why_to_issue() says so.

    :raises OSError: they cannot be written
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _name("Agent Smith development machine")
    authority = (
        _certificate(authority_name, authority_name, authority_key, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _certificate(_name(host), authority_name, key, authority_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(files.key, key.private_bytes(*form), 0o600)
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.authority, authority.public_bytes(serialization.Encoding.PEM), 0o644)


def _name(common_name: str) -> Any:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject: Any, issuer: Any, key: Any, issuer_key: Any, now: datetime) -> Any:
    """What both certificates have. From Python 3.13 on a client insists on the identifiers, as RFC 5280 has it."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> Any:
    """Signing certificates, or the handshakes of a server."""
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        encipher_only=False,
        decipher_only=False,
        **dict.fromkeys(unused, False),
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file, which nobody without the right sees at any moment."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    new.replace(path)
