# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the stand-in Slack answers https with: what is wrong is named by its variable, no key is quoted."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from certificate_authority import issue
from cryptography import x509
from stand_in.slack.server_certificate import server_tls
from stand_in.slack.settings import SettingsError

CA = issue("authority")
SERVER = issue("server", CA, (x509.DNSName("slack.com"),))
KEY = SERVER.key_pem()
ANOTHER_KEY = issue("another").key_pem()
NO_CERTIFICATE = "STAND_IN_SLACK_CERTIFICATE_FILE: {certificate} holds no certificate in PEM"
NO_KEY = "STAND_IN_SLACK_KEY_FILE: {key} holds no private key in PEM, or one with a passphrase"


def files(directory: Path, certificate: str, key: str) -> tuple[Path, Path]:
    """Write both, and return where."""
    paths = directory / "tls.crt", directory / "tls.key"
    for path, content in zip(paths, (certificate, key), strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


@pytest.mark.parametrize("certificate", [SERVER.pem, SERVER.pem + CA.pem])
def test_a_certificate_with_its_key(tmp_path: Path, certificate: str) -> None:
    assert server_tls(*files(tmp_path, certificate, KEY)).protocol == ssl.PROTOCOL_TLS_SERVER


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        ("no PEM", KEY, NO_CERTIFICATE),
        (KEY, SERVER.pem, NO_CERTIFICATE),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", KEY, NO_CERTIFICATE),
        (SERVER.pem, "no PEM", NO_KEY),
        (SERVER.pem, SERVER.pem, NO_KEY),
        (SERVER.pem, SERVER.key_pem(b"passphrase"), NO_KEY),
        (SERVER.pem, ANOTHER_KEY, "STAND_IN_SLACK_KEY_FILE: {key} is not the key of the certificate in {certificate}."),
        (CA.pem + SERVER.pem, KEY, "STAND_IN_SLACK_KEY_FILE: {key} is not the key of the certificate in"),
    ],
)
def test_what_is_refused(tmp_path: Path, certificate: str, key: str, message: str) -> None:
    paths = files(tmp_path, certificate, key)
    with pytest.raises(SettingsError) as refused:
        server_tls(*paths)
    text = str(refused.value)
    assert text.startswith(message.format(certificate=paths[0], key=paths[1]))
    for secret in (KEY, ANOTHER_KEY):
        assert secret.splitlines()[1] not in text
