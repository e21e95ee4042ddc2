# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a program its surroundings in the mount namespace that this one starts in, and becomes that program.

The first argument describes them as JSON, see surroundings(); the others are the program. No shell does this: it would
drop the environment variables whose names it could not set, as those of .NET's log levels.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

RUN = Path("/var/run")
"""Where a pod's service account is. All of it becomes private."""


def main(description: str, command: list[str]) -> None:
    """Mount, and become the program. Raises OSError, subprocess.CalledProcessError."""
    wanted = json.loads(description)
    os.umask(0o022)
    # Whatever the machine has there, a service account of its own too, is not for this program.
    mount("-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", RUN)
    lines = "".join(f"{address} {name}\n" for name, address in wanted["hosts"].items())
    (RUN / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{lines}", encoding="utf-8")
    mount("--bind", RUN / "hosts", "/etc/hosts")
    mount("--bind", wanted["app"], made(RUN / "app"))
    account = made(RUN / "secrets/kubernetes.io/serviceaccount")
    if wanted["service_account"]:
        mount("--bind", "-o", "ro", wanted["service_account"], account)
    # An agent's clones go there, so that each has its own.
    temporary = made(RUN / "tmp")
    temporary.chmod(0o1777)
    environment = os.environ | {"TMPDIR": str(temporary), "HOME": str(temporary)}
    if wanted["certificate_authority"]:
        shutil.copyfile(wanted["certificate_authority"], RUN / "authority.pem")
        # And no public one: a call that is led elsewhere must not succeed.
        environment["SSL_CERT_FILE"] = str(RUN / "authority.pem")
        environment["SSL_CERT_DIR"] = str(made(RUN / "certificates"))
    os.chdir(RUN / "app")
    if wanted["user"]:
        command = restricted(wanted["user"], wanted["shown"], command)
    os.execvpe(command[0], command, environment)  # noqa: S606 - the program under test


def restricted(user: int, shown: dict[str, list[str]], command: list[str]) -> list[str]:
    """Make everything but the temporary directory read-only, and return a command that gives up all privileges.

    `shown` has directories that this user has to reach, by the closed directory, a home, that they are in.
    """
    for number, (closed, directories) in enumerate(shown.items()):
        aside = made(RUN / f"closed-{number}", 0o700)
        mount("--rbind", closed, aside)
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", closed)
        for directory in directories:
            mount("--rbind", aside / Path(directory).relative_to(closed), made(Path(directory)))
    for place in ("/", RUN / "app"):
        mount("-o", "remount,bind,ro", place)
    identity = (f"--reuid={user}", f"--regid={user}", "--clear-groups")
    return ["setpriv", *identity, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", *command]


def made(directory: Path, mode: int = 0o755) -> Path:
    """Make a directory and return it."""
    directory.mkdir(mode=mode, parents=True, exist_ok=True)
    return directory


def mount(*arguments: str | Path) -> None:
    """Call mount(8)."""
    subprocess.run(["mount", *(str(argument) for argument in arguments)], check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
