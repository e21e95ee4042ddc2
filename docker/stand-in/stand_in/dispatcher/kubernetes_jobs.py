# SPDX-License-Identifier: GPL-3.0-or-later
"""The Dispatcher's calls of the Kubernetes API, as the ServiceAccount of its pod."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from stand_in.dispatcher.job_manifest import job_name

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
    """The Jobs of one namespace, through the API server that the pod's variables name."""

    def __init__(self, environment: Mapping[str, str], service_account: Path, namespace: str) -> None:
        """`service_account` is the directory with `token` and `ca.crt`."""
        host = environment["KUBERNETES_SERVICE_HOST"]
        self._address = f"{f'[{host}]' if ':' in host else host}:{environment['KUBERNETES_SERVICE_PORT']}"
        self._jobs = f"https://{self._address}/apis/batch/v1/namespaces/{namespace}/jobs"
        self._service_account = service_account

    async def create(self, manifest: Mapping[str, object]) -> None:
        """Create a Job. Raises KubernetesError."""
        status, text = await self._request("POST", self._jobs, manifest)
        if status >= 300:
            raise _refusal(status, text)

    async def is_running(self, job_id: str) -> bool:
        """Tell whether a Job has a pod that has not ended. Raises KubernetesError."""
        status, text = await self._request("GET", f"{self._jobs}/{job_name(job_id)}")
        if status == 404:
            return False
        if status >= 300:
            raise _refusal(status, text)
        return (json.loads(text).get("status", {}).get("active") or 0) > 0

    async def _request(self, method: str, url: str, body: Mapping[str, object] | None = None) -> tuple[int, str]:
        # Both are read for every request: the kubelet renews them in place.
        trust = ssl.create_default_context(cafile=str(self._service_account / "ca.crt"))
        token = (self._service_account / "token").read_text("utf-8").strip()
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)) as session,
                session.request(
                    method, url, json=body, headers={"Authorization": f"Bearer {token}"}, ssl=trust
                ) as response,
            ):
                return response.status, await response.text()
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
            return f"{words} ({self._address})"
        return "An error occurred while sending the request."


def _refusal(status: int, body: str) -> KubernetesError:
    name = _STATUS_NAMES.get(status, str(status))
    return KubernetesError(f"Operation returned an invalid status code '{name}', response body {body}")
