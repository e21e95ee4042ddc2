# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a container's log, bounded: whole lines, as part of a value could not be masked."""

from dataclasses import dataclass

from ..api.connection import Connection

_ATTEMPTS = 4


@dataclass(frozen=True)
class Log:
    """``cut``: what was left out of the log, for people; empty if it is whole."""

    text: str
    cut: str = ""


def read_log(
    connection: Connection, namespace: str, pod: str, container: str, lines: int, largest: int, previous: bool = False
) -> Log:
    """Read the end of a log.

    :param lines: that it has at most.
    :param largest: bytes that it has at most.
    :param previous: whether the log of the container before its last restart is meant.
    :raises ApplyError: for example when it may not be read, or the node does not answer.
    """
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    query = {"container": container, "timestamps": "true", **({"previous": "true"} if previous else {})}
    asked = lines
    for _attempt in range(_ATTEMPTS):
        # One more than is kept shows that there are more. A limit in bytes cuts the newest ones off, so fewer are asked
        text = connection.get_text(path, {**query, "tailLines": asked + 1, "limitBytes": largest + 1})
        if len(text.encode()) <= largest:
            break
        asked = max(1, text.count("\n") * 2 // 3)
    found = text.splitlines(keepends=True)
    if len(text.encode()) > largest:
        return Log("".join(found[:-1]), f"more than {largest} bytes: a line is longer than that")
    if asked < lines:
        return Log("".join(found[-asked:]), f"the last {asked} lines, as more would have more than {largest} bytes")
    if len(found) > lines:
        return Log("".join(found[-lines:]), f"the last {lines} lines")
    return Log(text)
