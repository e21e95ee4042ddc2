# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into a pod through the API server: a forwarded port, and the content of a file.

Both are WebSockets of the Python client. Its functions below the typed API are used, as in connection.py.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..objects.errors import ApiError, ApplyError
from .connection import CONNECT_TIMEOUT, Connection

try:
    import websocket
    from kubernetes.client.exceptions import ApiException
    from kubernetes.stream.ws_client import portforward_call, websocket_call
except ImportError:  # reported by the connection, in words
    websocket = None  # type: ignore[assignment]

EXEC_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True)
class ContainerOf:
    """A container: the names of its namespace, its pod and itself."""

    namespace: str
    pod: str
    container: str

    @property
    def path(self) -> str:
        """The path of the pod."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}"


class StreamFailed(ApplyError):
    """The API server let us in, and the pod did not, or went away."""


class CommandMissing(StreamFailed):
    """The container's image does not have the command."""


@contextmanager
def forwarded_port(connection: Connection, target: ContainerOf, port: int, timeout: float) -> Iterator[socket.socket]:
    """Yield a socket that is connected to a port of a pod.

    :param timeout: seconds for each operation on the socket.
    :raises ApiError: when the API server refuses, for example for want of `create` on `pods/portforward`.
    :raises StreamFailed: when it cannot get to the pod.
    """
    forward = _open(connection, portforward_call, f"{target.path}/portforward", [("ports", str(port))])
    forwarded = forward.socket(port)
    forwarded.settimeout(timeout)
    try:
        yield forwarded
    except OSError as error:
        raise StreamFailed(f"pod {target.pod}, port {port}: {forward.error(port) or _words(error, timeout)}") from None
    finally:
        forward.close()


@dataclass(frozen=True)
class EndedCommand:
    """What a command left: its exit code, and what it wrote to its output and to its error output."""

    code: int
    output: str
    errors: str


def output_of(connection: Connection, target: ContainerOf, command: Sequence[str]) -> str:
    """Run a command in a container and return what it writes.

    :raises StreamFailed: when the command fails, and as run_command().
    """
    ended = run_command(connection, target, command)
    if ended.code != 0:
        told = ended.errors.strip()[:200]
        raise StreamFailed(f"pod {target.pod}: {command[0]} ended with exit code {ended.code}: {told}")
    return ended.output


def run_command(connection: Connection, target: ContainerOf, command: Sequence[str]) -> EndedCommand:
    """Run a command in a container to its end, whichever that is.

    :raises ApiError: when the API server refuses, for example for want of `create` on `pods/exec`.
    :raises CommandMissing: when the image does not have the command.
    :raises StreamFailed: when it does not end.
    """
    query = [("container", target.container), ("stdout", "true"), ("stderr", "true"), ("command", list(command))]
    client = _open(connection, websocket_call, f"{target.path}/exec", query, _preload_content=False)
    try:
        client.run_forever(timeout=EXEC_TIMEOUT)
        if client.is_open():
            raise StreamFailed(f"pod {target.pod}: {command[0]} did not end within {EXEC_TIMEOUT:g} s")
        output, errors = client.read_stdout(timeout=0), client.read_stderr(timeout=0)
        try:
            code: int | None = client.returncode
        except (KeyError, IndexError, TypeError, ValueError):
            code = None  # the runtime could not start it, and says so in other words than an exit code
    finally:
        client.close()
    if code is None:
        raise CommandMissing(f"pod {target.pod}: its image does not contain {command[0]}")
    return EndedCommand(code, output, errors)


def _open(connection: Connection, call: Any, path: str, query: list[tuple[str, Any]], **options: Any) -> Any:
    # The client sets none, and would wait for ever for a server that does not answer.
    websocket.setdefaulttimeout(CONNECT_TIMEOUT)

    def attempt(configuration: Any, headers: dict[str, str]) -> Any:
        url = configuration.host + path
        try:
            return call(configuration, "GET", url, query_params=query, headers=headers, **options)
        except ApiException as error:
            raise _refusal(path, str(error.reason)) from None

    return connection.open_stream(attempt)


def _refusal(path: str, text: str) -> ApplyError:
    """Return the error for what the client says of a handshake that failed."""
    answered = re.match(r"Handshake status (\d{3})", text)
    message = re.search(r'"message":"((?:[^"\\]|\\.)*)"', text)
    told = message[1].replace('\\\\"', '"').replace('\\"', '"') if message else text.partition(" -+-+- ")[0]
    return ApiError(int(answered[1]), "", told) if answered else StreamFailed(f"{path}: {told}")


def _words(error: OSError, timeout: float) -> str:
    return f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error) or "closed"
