# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws docs/images/terminal-*.svg from what the commands in docs/images/terminal.yml really said.

Usage: terminal_pictures.py            draws the pictures from the recorded texts
       terminal_pictures.py record     runs the commands first, and records what they say; `make deploy` comes before.
                                       More arguments go to each command, for another cluster than inventories/dev's
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.padding import Padding
from rich.terminal_theme import MONOKAI
from rich.text import Text

CHECKOUT = Path(__file__).resolve().parents[1]
IMAGES = CHECKOUT / "docs/images"
COLUMNS = 84
# Rich's own form loads its letters from another site.
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, "DejaVu Sans", sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def recordings() -> list[dict[str, Any]]:
    """Return what docs/images/terminal.yml lists."""
    return yaml.safe_load((IMAGES / "terminal.yml").read_text(encoding="utf-8"))["recordings"]


def excerpt(said: str, recording: dict[str, Any]) -> str:
    """Return the part of what a command said that the picture shows."""
    lines = said.splitlines()
    plain = [Text.from_ansi(line).plain for line in lines]
    start = next(i for i, line in enumerate(plain) if re.search(recording.get("from", "PLAY|TASK"), line))
    rest = range(start + 1, len(lines))
    end = next((i for i in rest if "to" in recording and re.search(recording["to"], plain[i])), len(lines))
    return textwrap.dedent("\n".join(lines[start:end])).strip("\n") + "\n"


def record(recording: dict[str, Any], *more: str) -> None:
    """Run a command and keep what it says, its colours included."""
    ended = subprocess.run(
        [*shlex.split(recording["command"]), *more],
        cwd=CHECKOUT,
        env={**os.environ, **recording.get("settings", {}), "ANSIBLE_FORCE_COLOR": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ended.returncode != recording["exit_status"]:
        sys.exit(f"{recording['command']} ended with {ended.returncode}:\n{ended.stdout}")
    (IMAGES / f"terminal-{recording['name']}.txt").write_text(excerpt(ended.stdout, recording), encoding="utf-8")


def draw(recording: dict[str, Any]) -> str:
    """Return the picture of what was recorded."""
    said = (IMAGES / f"terminal-{recording['name']}.txt").read_text(encoding="utf-8")
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), color_system="truecolor", highlight=False)
    console.print(Text.assemble(("$ ", "bold green"), (recording["command"], "bold")))
    for line in said.splitlines():
        text = Text.from_ansi(line)
        indent = len(text.plain) - len(text.plain.lstrip())
        if recording.get("cut"):
            console.print(text, no_wrap=True, overflow="ellipsis")
        else:
            console.print(Padding(text[indent:], (0, 0, 0, indent)))
    drawn = console.export_svg(title=recording["title"], theme=MONOKAI, code_format=SVG, unique_id=recording["name"])
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


if __name__ == "__main__":
    for recording in recordings():
        if sys.argv[1:2] == ["record"]:
            record(recording, *sys.argv[2:])
        (IMAGES / f"terminal-{recording['name']}.svg").write_text(draw(recording), encoding="utf-8")
