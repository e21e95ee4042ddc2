# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that the stand-in Slack answers https with, in place of slack.com's."""

from __future__ import annotations

import ssl
from pathlib import Path

from stand_in.slack.settings import SettingsError

CERTIFICATE_FILE = "STAND_IN_SLACK_CERTIFICATE_FILE"
KEY_FILE = "STAND_IN_SLACK_KEY_FILE"


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what answers with a PEM chain and its PEM key. Raises SettingsError, which quotes no key."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        raise SettingsError(
            f"{CERTIFICATE_FILE}: {certificate} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)."
        ) from None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.set_alpn_protocols(["http/1.1"])
    try:
        # A password, or OpenSSL would ask the terminal for that of an encrypted key
        tls.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(f"{KEY_FILE}: {key} is not the key of the certificate in {certificate}.") from None
        raise SettingsError(f"{KEY_FILE}: {key} holds no private key in PEM, or one with a passphrase.") from None
    return tls
