# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis commands over a socket that is connected already.

The client library of Redis wants to make its connection itself, and would be one more package on every control node
for two commands. The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import socket
from typing import Any


class RedisError(OSError):
    """Redis answered a command with an error, or with what is no answer of Redis."""


class RedisClosed(RedisError, ConnectionError):
    """The connection was closed before the end of an answer."""


def encoded_command(*parts: str) -> bytes:
    """Return a command as it is sent."""
    encoded = [part.encode() for part in parts]
    lines = [b"*%d" % len(parts), *(b"$%d\r\n%s" % (len(part), part) for part in encoded), b""]
    return b"\r\n".join(lines)


class RedisClient:
    """Commands on one connection, one after the other. Every method raises OSError where the connection breaks."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = b""

    def command(self, *parts: str) -> Any:
        """Send a command and return its reply: a text, a number, None, or a list of these.

        :raises RedisError: when Redis refuses it.
        """
        self._socket.sendall(encoded_command(*parts))
        return self._reply()

    def _reply(self) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:].decode("utf-8", "replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest)
        try:
            number = int(rest)
        except ValueError:
            raise RedisError("what listens there is no Redis") from None
        if kind == b":":
            return number
        if kind == b"$":
            return None if number < 0 else self._bytes(number).decode("utf-8", "replace")
        if kind == b"*":
            return None if number < 0 else [self._reply() for _entry in range(number)]
        raise RedisError("what listens there is no Redis")

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, _end, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._buffer) < count + 2:
            self._receive()
        found, self._buffer = self._buffer[:count], self._buffer[count + 2 :]
        return found

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise RedisClosed("the connection was closed")
        self._buffer += received
