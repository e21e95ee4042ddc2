# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: small HTTPS servers and proxies that note who asks them, and the certificates that they need."""

from __future__ import annotations

import base64
import ipaddress
import json
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from certificate_authority import issue
from cryptography import x509

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}
API = {"kind": "APIVersions", "versions": ["v1"]}


class Authority:
    """A certificate authority that writes what it signs below a directory.

    :param plain: without the extensions that Python's strict mode insists on.
    """

    def __init__(self, directory: Path, name: str, plain: bool = False) -> None:
        self._directory = directory
        self._plain = plain
        self._issued = issue(name, now=datetime.now(UTC), plain=plain)
        self.file = directory / f"{name}.crt"
        self.file.write_text(self._issued.pem, encoding="utf-8")

    @property
    def data(self) -> str:
        """Its certificate, as in certificate-authority-data."""
        return base64.b64encode(self.file.read_bytes()).decode()

    def sign(self, name: str, *hosts: str, until: int = 1) -> tuple[Path, Path]:
        """Return the files of a certificate and its key.

        :param until: days from now.
        """
        names = tuple(_general_name(host) for host in hosts or (name,))
        issued = issue(name, self._issued, names, datetime.now(UTC), (-3, until), self._plain)
        certificate, key = (self._directory / f"{name}.{suffix}" for suffix in ("crt", "key"))
        certificate.write_text(issued.pem, encoding="utf-8")
        key.write_text(issued.key_pem(), encoding="utf-8")
        return certificate, key


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass(frozen=True)
class Asked:
    """A request as a server saw it."""

    server: str
    sni: str
    authorization: str
    client: str
    impersonation: tuple[tuple[str, str], ...]
    proxy: str = ""


@dataclass
class Answer:
    """What a server answers, if it is not what an API server does."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class _Listening:
    """What listens in a thread of its own, with TLS if it has a context."""

    def _listen(self, server: socketserver.TCPServer, context: ssl.SSLContext | None) -> None:
        if context:
            server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
        self._server = server
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def _tls(certificate: tuple[Path, Path] | None) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class LocalServer(_Listening):
    """An HTTP server, with TLS if it has a certificate. ``asked``: the requests so far."""

    def __init__(
        self,
        name: str,
        certificate: tuple[Path, Path] | None = None,
        client_authority: Path | None = None,
        answer: Answer | None = None,
    ) -> None:
        self.name = name
        self.asked: list[Asked] = []
        self.answer = answer
        self._sni: dict[int, str] = {}
        server = ThreadingHTTPServer(("0.0.0.0", 0), self._handler())  # noqa: S104  also reached by its address
        server.daemon_threads = True
        server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]
        context = _tls(certificate)
        if context:
            if client_authority:
                context.load_verify_locations(client_authority)
                context.verify_mode = ssl.CERT_OPTIONAL
            context.sni_callback = lambda connection, sni, _context: self._note(connection, sni)
        self._listen(server, context)

    def _note(self, connection: Any, sni: str | None) -> None:
        connection.asked_for = sni or ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append(server.seen(self))
                answer = server.answer or Answer(body=json.dumps(VERSION if self.path == "/version" else API).encode())
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        return Handler

    def seen(self, handler: BaseHTTPRequestHandler) -> Asked:
        """Return what there is to say of a request."""
        connection: Any = handler.connection
        certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
        subject = dict(pair for part in (certificate or {}).get("subject", ()) for pair in part)
        given = sorted((name.title(), value) for name, value in handler.headers.items())
        return Asked(
            self.name,
            getattr(connection, "asked_for", ""),
            handler.headers.get("Authorization") or "",
            subject.get("commonName", ""),
            tuple(pair for pair in given if pair[0].startswith("Impersonate-")),
        )


class LocalProxy(_Listening):
    """A proxy for HTTP (CONNECT) or SOCKS 5, with TLS if it has a certificate. It leads every name to this machine.

    ``asked``: what it was asked for, and the credentials that it got.
    """

    def __init__(self, scheme: str = "http", password: str = "", certificate: tuple[Path, Path] | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.password = password
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, ssl.SSLError):
                    (proxy._serve_socks if scheme == "socks5" else proxy._serve_http)(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._listen(Server(("127.0.0.1", 0), Handler), _tls(certificate))

    def _serve_http(self, client: Any) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1) or b"\r\n\r\n"
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        method, target, _ = lines[0].split(" ")
        given = headers.get("proxy-authorization", "")
        self.asked.append((f"{method} {target.partition('/version')[0]}", given))
        if self.password and given != f"Basic {base64.b64encode(self.password.encode()).decode()}":
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif method == "CONNECT":
            with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                _join(client, server)
        else:
            body = json.dumps(VERSION).encode()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
            client.sendall(f"{len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    def _serve_socks(self, client: Any) -> None:
        offered = _exactly(client, _exactly(client, 2)[1])
        given = ""
        if self.password:
            client.sendall(b"\x05\x02" if 2 in offered else b"\x05\xff")
            user = _exactly(client, _exactly(client, 2)[1])
            given = f"{user.decode()}:{_exactly(client, _exactly(client, 1)[0]).decode()}"
            client.sendall(b"\x01\x00" if given == self.password else b"\x01\x01")
        else:
            client.sendall(b"\x05\x00")
        kind = _exactly(client, 4)[3]
        if kind == 3:
            host = _exactly(client, _exactly(client, 1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(_exactly(client, 4 if kind == 1 else 16)))
        port = int.from_bytes(_exactly(client, 2))
        self.asked.append((f"{host}:{port}", given))
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            _join(client, server)


def _exactly(connection: Any, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += connection.recv(count - len(data)) or _ended()
    return data


def _ended() -> bytes:
    raise ConnectionError


def _join(one: Any, other: Any) -> None:
    """Pass on what either says, until one of them ends."""
    peers = {one: other, other: one}
    while True:
        buffered = [peer for peer in peers if isinstance(peer, ssl.SSLSocket) and peer.pending()]
        for ready in buffered or select.select(list(peers), [], [], 20)[0] or [one]:
            data = ready.recv(65536)
            if not data:
                return
            peers[ready].sendall(data)


def address_of_this_machine() -> str:
    """Return an address of this machine that is not loopback; empty where it has none."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])
    return ""


@contextmanager
def closing(*running: Any) -> Iterator[None]:
    """Close servers and proxies at the end."""
    try:
        yield
    finally:
        for one in running:
            one.close()
