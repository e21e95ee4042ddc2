# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML for people: in files, and in the diffs of a preview."""

from typing import Any

import yaml


def block_yaml(content: Any, width: int, sort_keys: bool = False) -> str:
    """Return *content* as YAML whose lines are at most *width* characters long, unless a text is longer.

    A text of several lines is written as a block, so that a diff reads line by line. Every value is written in full,
    without YAML aliases.
    """
    text: str = yaml.dump(
        content, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=sort_keys, width=width
    )
    return text


class _Dumper(yaml.SafeDumper):
    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


_Dumper.add_representer(str, _Dumper.represent_text)
