# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment. Runs in a pod of the matrix, with what Python brings: takes connections, or tries them all at once.

packets.py listen ENDPOINTS ADDRESSES   take connections at each endpoint; the loopback gets the addresses meanwhile
packets.py call TARGETS                 print as JSON why a connection to a target failed, or ""

An endpoint and a target is a list of host, port and protocol. All arguments are JSON.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import socket
import struct
import sys

TIMEOUT = 2.0  # seconds: a policy lets packets vanish
# A question for the address of kubernetes.default.svc.cluster.local
QUESTION = struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0)
QUESTION += b"".join(bytes([len(label)]) + label for label in b"kubernetes.default.svc.cluster.local".split(b"."))
QUESTION += struct.pack("!BHH", 0, 1, 1)
# Linux, netdevice(7)
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C


class Echo(asyncio.DatagramProtocol):
    """Answers every datagram."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


class Question(asyncio.DatagramProtocol):
    """Asks once; `answer` is over with the first answer, or with an error."""

    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.sendto(QUESTION)

    def datagram_received(self, _data, _address):
        if not self.answer.done():
            self.answer.set_result(None)

    def error_received(self, error):
        if not self.answer.done():
            self.answer.set_exception(error)


def set_loopback(addresses, present):
    """Give the loopback more addresses, or take them away: each is an alias of its own, without neighbours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for number, address in enumerate(addresses):
            alias = f"lo:m{number}".encode()
            if not present:
                fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", alias, 0))
                continue
            for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
                packed = struct.pack("16sH2x4s8x", alias, socket.AF_INET, socket.inet_aton(value))
                fcntl.ioctl(control, request, packed)


async def listen(endpoints, addresses):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    set_loopback(addresses, True)
    for host, port, protocol in endpoints:
        if protocol == "UDP":
            await loop.create_datagram_endpoint(Echo, (host, port))
        else:
            await asyncio.start_server(lambda _reader, writer: writer.close(), host, port)
    await stop.wait()
    set_loopback(addresses, False)


async def connect(host, port, protocol):
    if protocol == "TCP":
        _reader, writer = await asyncio.open_connection(host, port)
        writer.close()
        return
    transport, question = await asyncio.get_running_loop().create_datagram_endpoint(Question, remote_addr=(host, port))
    try:
        await question.answer
    finally:
        transport.close()


async def fault(target):
    try:
        await asyncio.wait_for(connect(*target), TIMEOUT)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return str(error)
    return ""


async def call(targets):
    faults = await asyncio.gather(*map(fault, targets.values()))
    print(json.dumps(dict(zip(targets, faults, strict=True))))


if __name__ == "__main__":
    asyncio.run({"listen": listen, "call": call}[sys.argv[1]](*map(json.loads, sys.argv[2:])))
