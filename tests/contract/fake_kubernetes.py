# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API that takes Jobs, runs their pods as local processes, and tells whether a Job still has one."""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = "service-account-token-of-the-dispatcher"
NAMESPACE = "agentsmith-under-test"
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

RunPod = Callable[[list[str], dict[str, str]], None]


class FakeKubernetes:
    """Serves on a port of its choice of 127.0.0.1 until close()."""

    def __init__(self, directory: Path, secret: Mapping[str, str], run_pod: RunPod) -> None:
        """`directory` becomes a ServiceAccount's; `run_pod` gets the arguments and variables of every pod."""
        self.jobs: list[dict[str, object]] = []
        self.refusal: tuple[int, dict[str, object]] | None = None
        # The names of Jobs that no pod runs for any more, and whether anybody may ask for them.
        self.ended: set[str] = set()
        self.reading_is_forbidden = False
        self.asked: list[str] = []
        self.service_account = directory
        self._secret = secret
        self._run_pod = run_pod
        _write_certificate(directory)
        (directory / "token").write_text(TOKEN)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"kubernetes": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "ca.crt", directory / "ca.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever).start()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a pod finds it."""
        host, port = self._server.server_address[:2]
        return {
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": str(port),
            "STAND_IN_SERVICE_ACCOUNT_DIRECTORY": str(self.service_account),
        }

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def create(self, job: dict[str, object]) -> tuple[int, dict[str, object]]:
        """Answer the request with a status and an object, and run the pod of a Job that is accepted."""
        if self.refusal is not None:
            return self.refusal
        for value in job["metadata"]["labels"].values():
            if not _LABEL_VALUE.fullmatch(value) or len(value) > 63:
                return _status(422, "Invalid", f'Job.batch "{job["metadata"]["name"]}" is invalid: label {value!r}')
        self.jobs.append(job)
        container = job["spec"]["template"]["spec"]["containers"][0]
        self._run_pod(container["args"], self._variables(container["env"]))
        return 201, job

    def read(self, name: str) -> tuple[int, dict[str, object]]:
        """Answer the question for a Job with a status and an object."""
        self.asked.append(name)
        if self.reading_is_forbidden:
            return _status(403, "Forbidden", 'jobs.batch is forbidden: User "system:serviceaccount:a:b"')
        for job in self.jobs:
            if job["metadata"]["name"] == name:
                return 200, {**job, "status": {"failed": 1} if name in self.ended else {"active": 1}}
        return _status(404, "NotFound", f'jobs.batch "{name}" not found')

    def forbid(self) -> None:
        """Refuse from now on, as a cluster without the Role does."""
        self.refusal = _status(403, "Forbidden", 'jobs.batch is forbidden: User "system:serviceaccount:a:b"')

    def _variables(self, entries: list[dict[str, object]]) -> dict[str, str]:
        variables = {}
        for entry in entries:
            if "value" in entry:
                variables[entry["name"]] = entry["value"]
            elif (key := entry["valueFrom"]["secretKeyRef"]["key"]) in self._secret:
                variables[entry["name"]] = self._secret[key]
        return variables


class _Handler(BaseHTTPRequestHandler):
    kubernetes: ClassVar[FakeKubernetes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, node = _status(401, "Unauthorized", "Unauthorized")
        elif self.path != f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs":
            status, node = _status(404, "NotFound", f"no {self.path}")
        else:
            status, node = self.kubernetes.create(json.loads(body))
        self._answer(status, node)

    def do_GET(self) -> None:
        jobs = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/"
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(*_status(401, "Unauthorized", "Unauthorized"))
        elif not self.path.startswith(jobs):
            self._answer(*_status(404, "NotFound", f"no {self.path}"))
        else:
            self._answer(*self.kubernetes.read(self.path.removeprefix(jobs)))

    def _answer(self, status: int, node: dict[str, object]) -> None:
        text = json.dumps(node).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _status(code: int, reason: str, message: str) -> tuple[int, dict[str, object]]:
    return code, {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}


def _write_certificate(directory: Path) -> None:
    """Write `ca.crt`, which is the server's certificate too, and `ca.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake-kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(x509.KeyUsage(True, *[False] * 4, True, *[False] * 3), True)
        .add_extension(identifier, False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "ca.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
