# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML files of this collection, parsed once: each rendering needs some forty of them."""

import hashlib
import marshal
import os
from contextlib import suppress
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

from .private_files import PrivateFiles

_ROLES = Path(__file__).resolve().parents[3] / "roles"


def parsed_file(path: Path) -> Any:
    """Return what a YAML file says. One of another collection may hold a secret, so nothing of that is kept."""
    content = path.read_bytes()
    if not path.is_relative_to(_ROLES):
        return yaml_load(content)
    files = _files()
    name, made_from = hashlib.sha256(os.fsencode(path)).hexdigest(), MAGIC_NUMBER + content
    kept = files.read(name, made_from)
    if kept is not None:
        return marshal.loads(kept)  # noqa: S302 - of this user, and whole
    parsed = yaml_load(content)
    with suppress(ValueError):  # marshal knows no dates
        files.write(name, made_from, marshal.dumps(parsed))
    return parsed


@cache
def _files() -> PrivateFiles:
    return PrivateFiles("parsed")
