"""Stand between a client and a server, and let every byte take a while: python -m benchmarks.far HOST PORT SECONDS."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

_PIECE = 1 << 18
_UNDER_WAY = 64
"""Pieces in one direction: more than such a way holds at the speed at which two programs of one machine can send."""


async def serve(host: str, port: int, seconds: float) -> None:
    """Take connections at another port of that address, one of this machine's; say which, and go on until ended."""
    server = await asyncio.start_server(partial(_pass_on, host, port, seconds), host, limit=_PIECE)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _pass_on(
    host: str, port: int, seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await asyncio.sleep(2 * seconds)  # a connection is made by a way there and back
    there, back = await asyncio.open_connection(host, port, limit=_PIECE)
    try:
        async with asyncio.TaskGroup() as ways:
            for source, target in ((reader, back), (there, writer)):
                under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)
                ways.create_task(_leave(source, under_way, seconds))
                ways.create_task(_arrive(under_way, target))
    except* OSError:
        pass  # somebody hung up, and so do we
    finally:
        back.close()
        writer.close()


async def _leave(reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]], seconds: float) -> None:
    piece = b"any"
    while piece:
        piece = await reader.read(_PIECE)
        await under_way.put((asyncio.get_running_loop().time() + seconds, piece))


async def _arrive(under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    while True:
        due, piece = await under_way.get()
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        if not piece:
            writer.write_eof()
            return
        writer.write(piece)
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
