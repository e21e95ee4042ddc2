# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup `directory_digest`: a short digest of what lies in directories, used as an image tag."""

DOCUMENTATION = r"""
name: directory_digest
short_description: A short digest of the content of directories and files
version_added: 0.1.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Returns the first 12 hexadecimal digits of a SHA-256 over the relative path, the executable bit and the content
    of every file below the given directories.
  - It is made for image tags. If you tag an image with the digest of the directories that it is built from, you never
    build it twice. A changed file gives a new tag, which rolls the pods that use it.
  - The digest is the same in every checkout of the same content. Owners, times, other permission bits and the place
    of a directory do not count, nor do empty directories, C(.git*), C(__pycache__), C(*.pyc) and the caches of pytest
    and ruff.
options:
  _terms:
    description:
      - Directories and files. Their order counts.
      - A relative path is taken from the current directory of C(ansible-playbook).
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Show the tag of an image that is built from two directories
  ansible.builtin.debug:
    msg: "{{ lookup('agentsmith.dev.directory_digest', 'docker/base', 'docker/redis') }}"
"""

RETURN = r"""
_raw:
  description: One string of 12 hexadecimal digits.
  type: list
  elements: str
  sample: [3f786850e387]
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DIGITS = 12
_IGNORED = {"__pycache__", ".pytest_cache", ".ruff_cache"}


def _ignored(name: str) -> bool:
    return name in _IGNORED or name.startswith(".git") or name.endswith(".pyc")


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path relative to `root`, path) of every file and link below `root`, or of `root` if it is a file."""
    if root.is_file():
        yield root.name, root
        return
    for directory, subdirectories, names in os.walk(root):
        subdirectories[:] = [name for name in subdirectories if not _ignored(name)]
        links = [name for name in subdirectories if (Path(directory) / name).is_symlink()]
        for name in [name for name in names if not _ignored(name)] + links:
            # A fifth of the time that Path.relative_to takes; a deploy of inventories/dev asks three times
            yield f"{directory}/{name}"[len(str(root)) + 1 :], Path(directory, name)


def digest(paths: list[str]) -> str:
    """Digest the content of `paths`, each a directory or a file.

    Every field goes in with its length before it, so that no two trees can give the same stream of bytes.
    A symbolic link counts by its target's name: Git stores it that way.

    Raises FileNotFoundError for a path that does not exist.
    """
    total = hashlib.sha256()

    def add(field: bytes) -> None:
        total.update(len(field).to_bytes(8, "big"))
        total.update(field)

    for path in paths:
        root = Path(path)
        if not root.exists():
            raise FileNotFoundError(path)
        for relative, file in sorted(_files(root)):
            add(relative.encode())
            if file.is_symlink():
                add(b"link")
                add(os.fsencode(file.readlink()))
            else:
                add(b"executable" if file.stat().st_mode & 0o100 else b"file")
                add(file.read_bytes())
        add(b"")
    return total.hexdigest()[:DIGITS]


class LookupModule(LookupBase):
    """The lookup plugin that Ansible loads."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return a list of one digest."""
        self.set_options(var_options=variables, direct=kwargs)
        if not terms:
            raise AnsibleLookupError("agentsmith.dev.directory_digest needs at least one directory or file")
        try:
            return [digest([str(term) for term in terms])]
        except FileNotFoundError as missing:
            raise AnsibleLookupError(
                f"agentsmith.dev.directory_digest: {missing} does not exist. "
                f"Give directories or files; a relative path is taken from {Path.cwd()}"
            ) from missing
        except OSError as unreadable:
            raise AnsibleLookupError(f"agentsmith.dev.directory_digest: {unreadable}") from unreadable
