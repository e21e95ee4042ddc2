# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: a real control plane on loopback, without nodes. Pods are created and stay pending."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import urllib3

START_TIMEOUT = 60  # seconds, for each program
STOP_TIMEOUT = 20  # seconds
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class ControlPlane:
    """The address and the credentials of a running control plane, and a plain client for what tests look up."""

    def __init__(self, directory: Path, port: int, token: str) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.token = token
        self.ca_file = directory / "certs" / "apiserver.crt"  # self-signed: it is its own authority
        self.directory = directory
        # Connections are kept, as a handshake costs more than most requests. As many as the tests have threads.
        self.connections = urllib3.HTTPSConnectionPool(
            "127.0.0.1", port, maxsize=40, ca_certs=str(self.ca_file), timeout=30, retries=False
        )

    def kubeconfig(self, token: str | None = None, server: str | None = None, context: str = "test") -> str:
        """Return the text of a kubeconfig with one context."""
        authority = base64.b64encode(self.ca_file.read_bytes()).decode()
        cluster = {"server": server or self.url}
        if cluster["server"].startswith("https:"):
            cluster["certificate-authority-data"] = authority
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": context,
                "clusters": [{"name": context, "cluster": cluster}],
                "users": [{"name": context, "user": {"token": token or self.token}}],
                "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            }
        )

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        token: str | None = None,
        user: str | None = None,
    ) -> tuple[int, Any]:
        """Send a request to the API server past everything that is under test; return status and decoded body.

        :param user: on whose behalf, by impersonation.
        """
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": content_type}
        if user:
            headers["Impersonate-User"] = user
        data = None if body is None else json.dumps(body).encode()
        answer = self.connections.urlopen(method, path, data, headers)
        text = answer.data.decode()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def get(self, path: str) -> Any:
        """Return the object at *path*, None where there is none."""
        status, body = self.request("GET", path)
        assert status in (200, 404), body
        return body if status == 200 else None

    def watch(self, path: str) -> urllib3.BaseHTTPResponse:
        """Begin to watch the collection at *path*. The lines of the answer are events, first of what is there."""
        headers = {"Authorization": f"Bearer {self.token}"}
        timeout = urllib3.Timeout(connect=30, read=None)
        answer = self.connections.urlopen(
            "GET", f"{path}?watch=true", headers=headers, timeout=timeout, preload_content=False
        )
        assert answer.status == 200, answer.data
        return answer


@contextmanager
def running_control_plane(binaries: Path, directory: Path) -> Iterator[ControlPlane]:
    """Run etcd, kube-apiserver and kube-controller-manager from *binaries* for as long as the context lasts."""
    api_port, etcd_port, peer_port, controller_port = (free_port() for _ in range(4))
    token = secrets.token_hex(16)
    (directory / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n', encoding="utf-8")
    key = directory / "service-account.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    control_plane = ControlPlane(directory, api_port, token)
    etcd_url = f"http://127.0.0.1:{etcd_port}"
    with ExitStack() as stack:
        etcd = _program(
            stack,
            directory,
            [
                binaries / "etcd",
                f"--data-dir={directory / 'etcd'}",
                f"--listen-client-urls={etcd_url}",
                f"--advertise-client-urls={etcd_url}",
                f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
                "--unsafe-no-fsync",
            ],
        )
        _await(etcd, directory, lambda: _answers(f"{etcd_url}/health"))
        api_server = _program(
            stack,
            directory,
            [
                binaries / "kube-apiserver",
                f"--etcd-servers={etcd_url}",
                "--bind-address=127.0.0.1",
                f"--secure-port={api_port}",
                f"--cert-dir={directory / 'certs'}",
                f"--token-auth-file={directory / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                # As kubeadm sets it: without, a privileged pod is refused before any policy is asked.
                "--allow-privileged=true",
                # Of the policies for Jobs, for clusters of Kubernetes 1.34 and 1.35.
                "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-cluster-ip-range=10.0.0.0/16",
            ],
        )
        _await(api_server, directory, lambda: _is_ready(control_plane))
        kubeconfig = directory / "controller-manager.kubeconfig"
        kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
        controllers = _program(
            stack,
            directory,
            [
                binaries / "kube-controller-manager",
                f"--kubeconfig={kubeconfig}",
                f"--secure-port={controller_port}",
                "--bind-address=127.0.0.1",
                f"--cert-dir={directory / 'controller-certs'}",
                "--leader-elect=false",
                f"--service-account-private-key-file={key}",
                f"--root-ca-file={control_plane.ca_file}",
                # What the objects of a release need, and nothing that waits for nodes.
                "--controllers=namespace,serviceaccount,resourcequota,garbagecollector,"
                "deployment,replicaset,statefulset,daemonset,job,cronjob",
                "--concurrent-gc-syncs=2",
            ],
        )
        _await(
            controllers,
            directory,
            lambda: control_plane.get("/api/v1/namespaces/default/serviceaccounts/default") is not None,
        )
        yield control_plane


def _program(stack: ExitStack, directory: Path, command: list[Any]) -> subprocess.Popen[bytes]:
    name = Path(command[0]).name
    log: IO[bytes] = stack.enter_context((directory / f"{name}.log").open("wb"))
    # Memory for time: a seventh of the API server's was for the collection of garbage
    environment = {**os.environ, "GOGC": "400"}
    program = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=directory, env=environment)
    stack.callback(_stop, program)
    return program


def _stop(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def _await(program: subprocess.Popen[bytes], directory: Path, condition: Any) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    name = Path(str(program.args[0])).name  # type: ignore[index]
    while not condition():
        if program.poll() is not None or time.monotonic() > deadline:
            log = (directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{name} did not start:\n{log[-3000:]}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=1, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _is_ready(control_plane: ControlPlane) -> bool:
    if not control_plane.ca_file.exists():
        return False
    try:
        return control_plane.request("GET", "/readyz")[0] == 200
    except urllib3.exceptions.HTTPError:
        return False
