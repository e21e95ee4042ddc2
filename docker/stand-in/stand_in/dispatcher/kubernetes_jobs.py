# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's one call of the Kubernetes API: create a Job, as the ServiceAccount of its pod."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp

REQUEST_TIMEOUT = 100.0
"""Seconds: the default of .NET's HttpClient."""
# .NET's names for what an API server may answer.
_STATUS_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    422: "UnprocessableEntity",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


class KubernetesError(Exception):
    """The API server refused, or could not be reached. The message is what people see in Slack."""


class KubernetesJobs:
    """Creates Jobs through the API server that the pod's variables name."""

    def __init__(self, environment: Mapping[str, str], service_account: Path) -> None:
        """`service_account` is the directory with `token` and `ca.crt`."""
        host = environment["KUBERNETES_SERVICE_HOST"]
        self._url = f"https://{f'[{host}]' if ':' in host else host}:{environment['KUBERNETES_SERVICE_PORT']}"
        self._service_account = service_account

    async def create(self, manifest: Mapping[str, object]) -> None:
        """Create a Job in the namespace of its manifest. Raises KubernetesError."""
        namespace = manifest["metadata"]["namespace"]
        # Both are read for every request: the kubelet renews them in place.
        trust = ssl.create_default_context(cafile=str(self._service_account / "ca.crt"))
        token = (self._service_account / "token").read_text("utf-8").strip()
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)) as session,
                session.post(
                    f"{self._url}/apis/batch/v1/namespaces/{namespace}/jobs",
                    json=manifest,
                    headers={"Authorization": f"Bearer {token}"},
                    ssl=trust,
                ) as response,
            ):
                if response.status >= 300:
                    name = _STATUS_NAMES.get(response.status, str(response.status))
                    raise KubernetesError(
                        f"Operation returned an invalid status code '{name}', response body {await response.text()}"
                    )
        except aiohttp.ClientError as error:
            raise KubernetesError(self._reason(error)) from error

    def _reason(self, error: aiohttp.ClientError) -> str:
        """Say in .NET's words why there was no answer."""
        if isinstance(error, aiohttp.ClientSSLError):
            return "The SSL connection could not be established, see inner exception."
        if isinstance(error, aiohttp.ClientConnectorError):
            number = error.os_error.errno or 0
            # A name that cannot be resolved has a number of its own kind, below 0.
            words = os.strerror(number) if number > 0 else error.os_error.strerror
            return f"{words} ({self._url.removeprefix('https://')})"
        return "An error occurred while sending the request."
