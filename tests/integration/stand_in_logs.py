# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: a node whose kubelet serves logs, so that the real API server has some to hand on."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from control_plane import ControlPlane

# By namespace, pod, container, and whether the log of the container before is meant
Logs = dict[tuple[str, str, str, bool], str]
MERGE = "application/merge-patch+json"


@contextmanager
def stand_in_logs(control_plane: ControlPlane, node: str) -> Iterator[Logs]:
    """Make a Node; yield the logs that its kubelet serves, empty at first."""
    logs: Logs = {}

    class Kubelet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            _root, _endpoint, namespace, pod, container = parts.path.split("/")
            log = logs.get((namespace, pod, container, query.get("previous") == "true"))
            # As a kubelet does: the last lines, and of these the first bytes
            lines = (log or "").splitlines(keepends=True)[-int(query.get("tailLines", 1000)) :]
            content = "".join(f"2026-01-02T12:00:00Z {line}" for line in lines).encode()
            content = content[: int(query.get("limitBytes", len(content)))]
            self.send_response(404 if log is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(control_plane.ca_file, control_plane.ca_file.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_address[1]}},
        "conditions": [
            {"type": "MemoryPressure", "status": "True", "reason": "KubeletHasInsufficientMemory", "message": "full"}
        ],
    }
    assert control_plane.request("POST", "/api/v1/nodes", body)[0] == 201
    assert control_plane.request("PATCH", f"/api/v1/nodes/{node}/status", {"status": status}, MERGE)[0] == 200
    try:
        yield logs
    finally:
        control_plane.request("DELETE", f"/api/v1/nodes/{node}")
        server.shutdown()
        server.server_close()
