# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API that creates and shows Jobs, and runs a Job's pod as a local process."""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from background_process import BackgroundProcess
from certificate_authority import Issued, issue
from cryptography import x509
from local_http_server import LocalHttpServer, Request, Response, json_response
from service_account import ServiceAccount

NAMESPACE = "agentsmith-under-test"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

RunPod = Callable[[list[str], dict[str, str]], BackgroundProcess]


class FakeKubernetes:
    """Serves until close()."""

    def __init__(self, directory: Path, secret: Mapping[str, str], run_pod: RunPod) -> None:
        """`directory` becomes a ServiceAccount's; `run_pod` gets the arguments and variables of every pod."""
        self.jobs: list[dict[str, object]] = []
        """The Jobs that were created, as they were sent."""
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request, whatever it was answered."""
        self.refusal: Response | None = None
        self.certificate_authority = issue("fake-kubernetes-ca", now=datetime.now(UTC))
        self.service_account = ServiceAccount(directory, NAMESPACE, self.certificate_authority.pem)
        self._pods: list[BackgroundProcess] = []
        self.reading_is_forbidden = False
        self._secret = secret
        self._run_pod = run_pod
        self._server = LocalHttpServer(self._respond, _server_context(self.certificate_authority, directory))

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a pod finds it."""
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self._server.port)}

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def forbid(self) -> None:
        """Refuse from now on, as a cluster without the Role does."""
        self.refusal = _FORBIDDEN

    def refuse(self, status: int, reason: str, message: str) -> None:
        """Answer every request from now on with a Status."""
        self.refusal = _status(status, reason, message)

    def _respond(self, request: Request) -> Response:
        self.requests.append((request.method, request.path))
        if not self.service_account.accepts(request.headers["Authorization"]):
            return _status(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")
        if self.refusal is not None:
            return self.refusal
        if (request.method, request.path) == ("POST", JOBS):
            return self._create(json.loads(request.body))
        if request.method == "GET" and request.path.startswith(f"{JOBS}/"):
            return self._show(request.path.removeprefix(f"{JOBS}/"))
        return _status(HTTPStatus.NOT_FOUND, "NotFound", f"no {request.method} {request.path}")

    def _create(self, job: dict[str, object]) -> Response:
        name = job["metadata"]["name"]
        for value in job["metadata"]["labels"].values():
            if not _LABEL_VALUE.fullmatch(value) or len(value) > 63:
                message = f'Job.batch "{name}" is invalid: label {value!r}'
                return _status(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message)
        self.jobs.append(job)
        container = job["spec"]["template"]["spec"]["containers"][0]
        self._pods.append(self._run_pod(container["args"], self._variables(container["env"])))
        return json_response(HTTPStatus.CREATED, _completed(job))

    def _show(self, name: str) -> Response:
        if self.reading_is_forbidden:
            return _FORBIDDEN
        for job, pod in zip(self.jobs, self._pods, strict=True):
            if job["metadata"]["name"] == name:
                state = "active" if pod.running else "failed" if pod.wait() else "succeeded"
                return json_response(HTTPStatus.OK, _completed(job) | {"status": {state: 1}})
        return _status(HTTPStatus.NOT_FOUND, "NotFound", f'jobs.batch "{name}" not found')

    def _variables(self, entries: list[dict[str, object]]) -> dict[str, str]:
        variables = {}
        for entry in entries:
            if "value" in entry:
                variables[entry["name"]] = entry["value"]
            elif (key := entry["valueFrom"]["secretKeyRef"]["key"]) in self._secret:
                variables[entry["name"]] = self._secret[key]
        return variables


def _completed(job: dict[str, object]) -> dict[str, object]:
    """Fill in what the path of the request says, as the API server does for a body without it."""
    return {"apiVersion": "batch/v1", "kind": "Job"} | job


def _status(code: int, reason: str, message: str) -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return json_response(code, status | {"reason": reason, "message": message, "code": int(code)})


_FORBIDDEN = _status(HTTPStatus.FORBIDDEN, "Forbidden", 'jobs.batch is forbidden: User "system:serviceaccount:a:b"')


def _server_context(authority: Issued, directory: Path) -> ssl.SSLContext:
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server = issue("fake-kubernetes", authority, (address,), datetime.now(UTC))
    chain = directory.with_name(f"{directory.name}-server-{secrets.token_hex(4)}.pem")
    chain.write_text(server.pem + server.key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context
