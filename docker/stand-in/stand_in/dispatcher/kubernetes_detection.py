# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the Dispatcher finds itself in a cluster, by the rules of its client library (kubernetes-client/csharp)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SERVICE_ACCOUNT_DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def missing_for_cluster(environment: Mapping[str, str], directory: Path = SERVICE_ACCOUNT_DIRECTORY) -> list[str]:
    """Return which of the four things is missing that in-cluster mode needs: an empty list means in the cluster."""
    variables = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    files = (directory / "token", directory / "ca.crt")
    return [name for name in variables if not environment.get(name)] + [str(p) for p in files if not p.is_file()]
