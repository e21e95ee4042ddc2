# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Redis answers, and runs with the memory, the eviction policy and the persistence that were meant."""

import re
from collections.abc import Mapping, Sequence

from .outcome import NOT_CHECKED, Outcome, judged

SETTINGS = ("maxmemory", "maxmemory-policy", "save", "appendonly")
_UNITS = {"": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
_HINT = (
    "Somebody changed it in the running Redis (CONFIG SET), or the Deployment is not the one of this release: deploy."
)


def check_ping(check: str, reply: object) -> Outcome:
    """`PING` is answered with `PONG`."""
    return judged(check, reply == "PONG", f"PING: {reply}", "Read the log of Redis: kubectl logs deploy/redis -c redis")


def check_maxmemory(check: str, settings: Mapping[str, str], arguments: Mapping[str, str]) -> Outcome:
    """The limit is set, and is that of the release."""
    found, wanted = int(settings["maxmemory"]), arguments.get("maxmemory")
    if wanted is None:
        return judged(check, found > 0, f"{found} bytes", "Without a limit Redis grows until its container is killed.")
    return judged(check, found == bytes_of(wanted), f"{found} bytes, wanted {wanted}", _HINT)


def check_policy(check: str, settings: Mapping[str, str], arguments: Mapping[str, str]) -> Outcome:
    """What is evicted when memory is short."""
    found, wanted = settings["maxmemory-policy"], arguments.get("maxmemory-policy")
    if wanted is None:
        return Outcome(check, NOT_CHECKED, f"{found}; the Deployment names none")
    return judged(check, found == wanted, f"{found}, wanted {wanted}", _HINT)


def check_persistence(check: str, settings: Mapping[str, str], arguments: Mapping[str, str]) -> Outcome:
    """Snapshots and the append-only file are off, unless the release turns them on."""
    wanted = (arguments.get("save", ""), arguments.get("appendonly", "no"))
    found = (settings["save"], settings["appendonly"])
    evidence = f"save '{found[0]}', appendonly {found[1]}"
    return judged(check, found == wanted, evidence, f"Wanted: save '{wanted[0]}', appendonly {wanted[1]}. {_HINT}")


def arguments_of(args: Sequence[str]) -> dict[str, str]:
    """Return the options among the arguments of redis-server: `--save ''` is {"save": ""}."""
    options: dict[str, list[str]] = {}
    values: list[str] = []
    for argument in args:
        if argument.startswith("--"):
            values = options.setdefault(argument[2:].lower(), [])
        else:
            values.append(argument)
    return {name: " ".join(values) for name, values in options.items()}


def bytes_of(size: str) -> int:
    """Return a size as Redis reads it, in bytes; -1 for what is none."""
    match = re.fullmatch(r"(\d+)([a-z]*)", size.strip().lower())
    return int(match[1]) * _UNITS[match[2]] if match and match[2] in _UNITS else -1
