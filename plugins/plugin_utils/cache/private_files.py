# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of which only this user can be the author, so that code in them may be executed.

What is not certain to be so is not read, and made anew. As with the files of ssh, the owner and the mode of a file and
of all directories above it count. A file also proves that it is whole, and made from what the caller has now. Whatever
goes wrong costs time and nothing else.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_DIGEST = hashlib.sha256
_DIGEST_SIZE = _DIGEST().digest_size
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class PrivateFiles:
    """A directory below C($XDG_CACHE_HOME/agentsmith.platform), or one that keeps nothing if none is safe."""

    def __init__(self, name: str) -> None:
        self._directory = _private_directory(name)

    def read(self, name: str, made_from: bytes) -> bytes | None:
        """Return the content of a file.

        :param made_from: what the content depends on. If it was another thing when the file was written, there is none.
        """
        if self._directory is None:
            return None
        try:
            # A link leads to somebody else's file, and a pipe would block
            file = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & _OTHERS_WRITE:
                return None
            with os.fdopen(file, "rb", buffering=0, closefd=False) as stream:
                digest, content = stream.read(_DIGEST_SIZE), stream.readall()
        except OSError:
            return None
        finally:
            os.close(file)
        return content if digest == _digest(made_from, content) else None

    def write(self, name: str, made_from: bytes, content: bytes) -> None:
        """Keep a content. Another run that reads or writes the file at the same time has a whole one."""
        if self._directory is None:
            return
        with suppress(OSError):
            file, path = tempfile.mkstemp(dir=self._directory)
            try:
                with os.fdopen(file, "wb") as stream:
                    stream.write(_digest(made_from, content) + content)
                Path(path).replace(self._directory / name)
            except OSError:
                Path(path).unlink()


def _digest(made_from: bytes, content: bytes) -> bytes:
    return _DIGEST(_DIGEST(made_from).digest() + content).digest()


def _private_directory(name: str) -> Path | None:
    """Return the directory, made if it is missing; None if it cannot be had, or others could write to it."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if not base.is_absolute():  # by the specification of XDG_CACHE_HOME, another path is none
            base = Path("~/.cache").expanduser()
        path = (base / "agentsmith.platform" / name).resolve()
        # Each one is made only if all above it are safe: root with another user's HOME leaves nothing there
        for directory in (*reversed(path.parents), path):
            if not directory.is_dir():
                directory.mkdir(0o700, exist_ok=True)
            if not _is_safe(directory.lstat()):
                return None
        return path if path.lstat().st_uid == os.geteuid() else None
    except (OSError, RuntimeError):  # with no home, a RuntimeError
        return None


def _is_safe(state: os.stat_result) -> bool:
    """Whether nobody but this user and root can replace what is in a directory."""
    others_replace = state.st_mode & _OTHERS_WRITE and not state.st_mode & stat.S_ISVTX
    return stat.S_ISDIR(state.st_mode) and state.st_uid in (0, os.geteuid()) and not others_replace
