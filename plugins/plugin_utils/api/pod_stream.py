# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into a pod through the API server: a forwarded port, and the content of a file.

Both are WebSockets with channels: the first byte of each message says which
(https://kubernetes.io/docs/reference/using-api/api-concepts/#websockets).
"""

import io
import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from ..objects.errors import ApiError, ApplyError
from .connection import Client, Connection

try:
    import websocket
except ImportError:  # reported by ClusterAction, in words
    websocket = None  # type: ignore[assignment]

EXEC_TIMEOUT = 20.0  # seconds

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_INPUT, _OUTPUT, _ERRORS, _STATUS = range(4)  # the channels of exec
# What kubelets say of a port in the pod that nobody listens at
_REFUSED = re.compile("connection refused", re.IGNORECASE)
_NO_SUCH_COMMAND = re.compile("executable file .*not found|no such file or directory", re.IGNORECASE)
# What a runtime, and `timeout`, end with where there is no such command
_NO_SUCH_COMMAND_CODES = (126, 127)
KILLED_BY_TIMEOUT = (124, 137, 143)


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
def forwarded_port(
    connection: Connection, target: ContainerOf, port: int, timeout: float, patience: float | None = None
) -> Iterator[socket.socket]:
    """Yield a socket that is connected to a port of a pod.

    :param timeout: seconds for each operation on the socket.
    :param patience: seconds for the way into the pod to open, tried once: its node may not answer. None tries again.
    :raises ApiError: when the API server refuses, for example for want of `create` on `pods/portforward`.
    :raises StreamFailed: when the pod refuses the connection, or its answer is wrong; StreamCut when none comes.
    """
    stream = _open(connection, f"{target.path}/portforward", [("ports", str(port))], patience)
    forwarded = ForwardedPort(stream)
    forwarded.settimeout(timeout)
    try:
        yield cast(socket.socket, forwarded)
    except OSError as error:
        told = forwarded.error
        silent = bool(told) or isinstance(error, (TimeoutError, ConnectionError))
        fault = StreamCut if silent and not _REFUSED.search(told) else StreamFailed
        raise fault(f"pod {target.pod}, port {port}: {told or _words(error, timeout)}") from None
    finally:
        _close(stream)


class ForwardedPort:
    """A port of a pod, with the methods of a socket that requests over it use.

    Channel 0 is the data, channel 1 what the kubelet says went wrong (``error``). The first message of each is the
    port's number.
    """

    def __init__(self, stream: Any) -> None:
        self.error = ""
        self._stream = stream
        self._begun: set[int] = set()
        self._received = b""

    def settimeout(self, seconds: float) -> None:
        """Set the seconds for each operation."""
        self._stream.settimeout(seconds)

    def sendall(self, data: Any) -> None:
        """Send bytes."""
        with _as_os_errors():
            self._stream.send_binary(b"\0" + bytes(data))

    def recv(self, count: int) -> bytes:
        """Return at most *count* bytes; none at the end."""
        while not self._received:
            with _as_os_errors():
                message = _message(self._stream)
            if message is None:
                return b""
            channel, data = message
            if channel not in self._begun:
                self._begun.add(channel)
            elif channel == 1:
                self.error = data.decode("utf-8", "replace").strip()
                raise ConnectionError(self.error)
            elif channel == 0:
                self._received = data
        found, self._received = self._received[:count], self._received[count:]
        return found

    def makefile(self, *_mode: Any, **_options: Any) -> io.BufferedReader:
        """Return a file to read from."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Do nothing: http.client closes a socket before it has read the answer. forwarded_port() ends the stream."""


class _Reader(io.RawIOBase):
    def __init__(self, port: ForwardedPort) -> None:
        super().__init__()
        self._port = port

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._port.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True)
class EndedCommand:
    """What a command left: its exit code, and what it wrote to its output and to its error output."""

    code: int
    output: str
    errors: str

    @property
    def timed_out(self) -> bool:
        """Whether `timeout` ended it: that of coreutils, a kill, that of busybox."""
        return self.code in KILLED_BY_TIMEOUT


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
    query = [("container", target.container), ("stdout", "true"), ("stderr", "true")]
    query += [("command", part) for part in command] + ([("stdin", "true")] if stdin else [])
    stream = _open(connection, f"{target.path}/exec", query)
    written = dict.fromkeys((_OUTPUT, _ERRORS, _STATUS), b"")
    deadline = time.monotonic() + EXEC_TIMEOUT
    stream.settimeout(EXEC_TIMEOUT)
    try:
        with _as_os_errors():
            if stdin:
                stream.send_binary(bytes([_INPUT]) + stdin)
            while (message := _message(stream)) is not None:
                channel, data = message
                if channel in written:
                    written[channel] += data
                stream.settimeout(max(0.01, deadline - time.monotonic()))
    except TimeoutError:
        raise StreamCut(f"pod {target.pod}: {command[0]} did not end within {EXEC_TIMEOUT:g} s") from None
    except OSError:
        pass  # what came before counts: the exit code comes last
    finally:
        _close(stream)
    output, errors, status = (data.decode("utf-8", "replace") for data in written.values())
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


def _close(stream: Any) -> None:
    with suppress(websocket.WebSocketException, OSError):
        stream.close(timeout=0)


def _message(stream: Any) -> tuple[int, bytes] | None:
    """Return the next message, its channel and its content; None at the end."""
    while True:
        try:
            kind, frame = stream.recv_data_frame(control_frame=True)
        except websocket.WebSocketConnectionClosedException:
            return None
        if kind == websocket.ABNF.OPCODE_CLOSE:
            return None
        data = frame.data.encode() if isinstance(frame.data, str) else frame.data
        if kind in (websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT) and data:
            return data[0], data[1:]


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise the errors of the WebSocket as those of a socket."""
    try:
        yield
    except websocket.WebSocketTimeoutException as error:
        raise TimeoutError(str(error)) from None
    except websocket.WebSocketException as error:
        raise ConnectionError(str(error)) from None


def _open(connection: Connection, path: str, query: list[tuple[str, str]], patience: float | None = None) -> Any:
    target = f"{path}?{urlencode(query)}"

    def attempt(client: Client) -> Any:
        server = client.access.server
        stream: Any = websocket.WebSocket(skip_utf8_validation=True)
        try:
            connected = client.connected_socket()
            if patience is not None:
                connected.settimeout(patience)
            stream.connect(
                f"ws{server.removeprefix('http')}{target}",
                socket=connected,
                host=urlsplit(server).netloc,
                header=[f"{name}: {value}" for name, value in client.headers().iteritems()],
                subprotocols=list(_PROTOCOLS),
                suppress_origin=True,
                redirect_limit=0,
            )
        except websocket.WebSocketBadStatusException as error:
            raise _refusal(path, error.status_code, error.resp_body or b"") from None
        except (websocket.WebSocketException, OSError) as error:
            if stream.handshake_response is not None:  # a redirect
                raise _refusal(path, stream.handshake_response.status, b"") from None
            raise StreamCut(f"{path}: {error}") from None
        return stream

    return connection.open_stream(attempt, repeat=patience is None)


def _refusal(path: str, status: int, body: bytes) -> ApiError:
    """Return the error for a handshake that the server answered with something else."""
    try:
        told = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        told = f"{path}: the API server answered {status}"
    return ApiError(status, "", told)


def _words(error: OSError, timeout: float) -> str:
    return f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error) or "closed"
