# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Secret that others make can give an Ingress or a Gateway its certificate. No text from here quotes a value.

Kubernetes: "TLS secrets".
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .tls_certificate import judge

TYPE = "kubernetes.io/tls"
CERTIFICATE, KEY = "tls.crt", "tls.key"


def examine(live: Mapping[str, Any], host: str, now: datetime) -> tuple[list[str], list[str]]:
    """Return what is wrong with the live Secret for *host*, and what soon will be: "its tls.crt has expired on …"."""
    if live.get("type") != TYPE:
        return [f"its type is {live.get('type')}, not {TYPE}"], []
    try:
        certificate, key = (base64.b64decode(live["data"][name], validate=True).decode() for name in (CERTIFICATE, KEY))
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
        return [f"its {CERTIFICATE} or {KEY} is missing or not text"], []
    verdict = judge(certificate, key, host, now)
    faults = [f"its {CERTIFICATE} {fault}" for fault in verdict.certificate_faults]
    faults += [f"its {KEY} {fault}" for fault in verdict.key_faults]
    return faults, [f"its {CERTIFICATE} {warning}" for warning in verdict.warnings]
