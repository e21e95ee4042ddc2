# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that stands for a distance: what goes through it arrives later, in its order.

    python delay.py HOST PORT MILLISECONDS

The milliseconds are those of a round trip. To connect takes one, as over a network. It prints the port that it listens
on, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys

PART = 65536  # bytes


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, later: float, begin: float) -> None:
    """Pass on what comes, *later* seconds after it came, and nothing before *begin*."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, part = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not part:
                target.write_eof()
                return
            target.write(part)
            await target.drain()

    delivery = asyncio.create_task(deliver())
    try:
        while part := await source.read(PART):
            under_way.put_nowait((max(begin, loop.time() + later), part))
    except OSError:
        pass
    under_way.put_nowait((loop.time() + later, b""))
    await asyncio.gather(delivery, return_exceptions=True)


async def serve(host: str, port: int, round_trip: float) -> None:
    """Listen, and carry until the process is ended."""

    async def connect(near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        begin = asyncio.get_running_loop().time() + 1.5 * round_trip
        far, request = await asyncio.open_connection(host, port)
        one_way = round_trip / 2
        await asyncio.gather(carry(near, request, one_way, begin), carry(far, answer, one_way, begin))
        request.close()
        answer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000))
