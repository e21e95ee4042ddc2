# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into a pod through the API server: a forwarded port, and the content of a file.

Both are WebSockets of the Python client. Its functions below the typed API are used, as in connection.py.
"""

from __future__ import annotations

import json
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
    from kubernetes.stream import ws_client
    from kubernetes.stream.ws_client import portforward_call, websocket_call
except ImportError:  # reported by the connection, in words
    websocket = None  # type: ignore[assignment]
else:

    class _QuietPortForward(ws_client.PortForward):
        """A forwarded port whose thread takes a connection that is reset like one that is closed.

        The thread of the Python client prints a traceback, and leaves the socket open for the whole timeout.
        """

        def _proxy(self) -> None:
            try:
                super()._proxy()
            except OSError:
                for port in self.local_ports.values():
                    port.python.close()

    ws_client.PortForward = _QuietPortForward

EXEC_TIMEOUT = 20.0  # seconds
# The output of a command, its error output, and how it ended
_OUTPUT_CHANNELS = (1, 2, 3)
# What kubelets say of a port in the pod that nobody listens at
_REFUSED = re.compile("connection refused", re.IGNORECASE)
_NO_SUCH_COMMAND = re.compile("executable file .*not found|no such file or directory", re.IGNORECASE)
# What a runtime, and `timeout`, end with where there is no such command
_NO_SUCH_COMMAND_CODES = (126, 127)


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
    """The pod answered, and not as it has to."""


class StreamCut(StreamFailed):
    """No answer came through: the way into the pod did not open, or broke. That says nothing about the pod."""


class CommandMissing(StreamCut):
    """The container's image does not have the command."""


@contextmanager
def forwarded_port(connection: Connection, target: ContainerOf, port: int, timeout: float) -> Iterator[socket.socket]:
    """Yield a socket that is connected to a port of a pod.

    :param timeout: seconds for each operation on the socket.
    :raises ApiError: when the API server refuses, for example for want of `create` on `pods/portforward`.
    :raises StreamFailed: when the pod refuses the connection, or its answer is wrong; StreamCut when none comes.
    """
    forward = _open(connection, portforward_call, f"{target.path}/portforward", [("ports", str(port))])
    forwarded = forward.socket(port)
    forwarded.settimeout(timeout)
    try:
        yield forwarded
    except OSError as error:
        told = forward.error(port) or ""
        silent = bool(told) or isinstance(error, (TimeoutError, ConnectionError))
        fault = StreamCut if silent and not _REFUSED.search(told) else StreamFailed
        raise fault(f"pod {target.pod}, port {port}: {told or _words(error, timeout)}") from None
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


def run_command(
    connection: Connection, target: ContainerOf, command: Sequence[str], stdin: bytes = b""
) -> EndedCommand:
    """Run a command in a container to its end, whichever that is.

    :param stdin: what it reads. It does not see an end of it.

    :raises ApiError: when the API server refuses, for example for want of `create` on `pods/exec`.
    :raises CommandMissing: when the image does not have the command.
    :raises StreamCut: when it does not end.
    """
    query = [("container", target.container), ("stdout", "true"), ("stderr", "true"), ("command", list(command))]
    query += [("stdin", "true")] if stdin else []
    client = _open(connection, websocket_call, f"{target.path}/exec", query, _preload_content=False)
    try:
        if stdin:
            client.write_stdin(stdin)
        client.run_forever(timeout=EXEC_TIMEOUT)
        if client.is_open():
            raise StreamCut(f"pod {target.pod}: {command[0]} did not end within {EXEC_TIMEOUT:g} s")
    except (OSError, websocket.WebSocketException):
        pass  # what came before counts: the exit code comes last
    finally:
        client.close()
    output, errors, status = (client.read_channel(channel) for channel in _OUTPUT_CHANNELS)
    program = command[2] if command[0] == "timeout" else command[0]
    return EndedCommand(_exit_code(target, program, status), output, errors)


def _exit_code(target: ContainerOf, command: str, text: str) -> int:
    """Return the exit code in the Status object with which an exec ends.

    :raises CommandMissing: when the image does not have the command; StreamCut when it did not run to its end.
    """
    status = json.loads(text or "{}")
    causes = (status.get("details") or {}).get("causes") or []
    codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
    code = 0 if status.get("status") == "Success" else next(iter(codes), None)
    told = status.get("message") or "it was cut off"
    if code in _NO_SUCH_COMMAND_CODES or (code is None and _NO_SUCH_COMMAND.search(told)):
        raise CommandMissing(f"pod {target.pod}: its image does not contain {command}")
    if code is None:
        raise StreamCut(f"pod {target.pod}: {command}: {told}")
    return code


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
    return ApiError(int(answered[1]), "", told) if answered else StreamCut(f"{path}: {told}")


def _words(error: OSError, timeout: float) -> str:
    return f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error) or "closed"
