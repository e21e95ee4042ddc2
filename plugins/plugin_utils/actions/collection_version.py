# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of this collection runs: as installed, or of a checkout."""

import json
from contextlib import suppress
from pathlib import Path

import yaml

_ROOT = Path(__file__).parents[3]


def collection_version() -> str:
    """Return the version, empty if nothing says it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((_ROOT / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    with suppress(OSError, yaml.YAMLError, KeyError, TypeError):
        return str(yaml.safe_load((_ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    return ""
