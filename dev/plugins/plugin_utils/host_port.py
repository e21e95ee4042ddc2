# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a port of this machine is free, and who has it otherwise."""

import errno
import re
import socket

from .command import ask
from .container_engine import ENGINES


def is_free(address: str, port: int) -> bool:
    """Return whether a server could listen on TCP `port` of `address` (an IPv4 or IPv6 address of this machine)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # As servers do: connections of an earlier one that are still closing do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def owner(port: int) -> str:
    """Return who listens on TCP `port`, for a message: a container, a process, or the empty string if neither shows."""
    for engine in ENGINES:
        for line in ask([engine, "ps", "--format", "{{ .Names }} {{ .Ports }}"]).output.splitlines():
            name, _space, ports = line.partition(" ")
            if f":{port}->" in ports:
                return f"the {engine} container {name}"
    sockets = ask(["ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes", f"sport = :{port}"])
    process = re.search(r'\("([^"]+)",pid=(\d+)', sockets.output)
    return f"{process[1]} (process {process[2]})" if process else ""
