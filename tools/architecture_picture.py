# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws docs/images/architecture.svg from docs/images/architecture.yml, which says what may stand there.

It is narrow and its letters are large, so that it can be read on a phone. It has a background of its own, light or dark
as the reader's system, so it does not matter what page it is on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import yaml

IMAGES = Path(__file__).resolve().parents[1] / "docs/images"
WIDTH, MARGIN, GAP = 520, 10, 16
LINE, HEADING, PADDING = 18, 30, 12
ARROW = 44
"""Height between two frames."""
OVER = 34
"""Height above a row for an arrow that leads over it."""
STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 14.5px; fill: #1f2937 }
.name { font-weight: 600; font-size: 15px }
.heading { font-weight: 700; font-size: 15.5px; fill: #1d4ed8 }
.label { fill: #4b5563 }
.page { fill: #ffffff }
.frame { fill: #eff4ff; stroke: #bfd0f5 }
.box { fill: #ffffff; stroke: #8aa4d6 }
.arrow { fill: none; stroke: #4b5563; stroke-width: 1.6 }
.head { fill: #4b5563 }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .heading { fill: #93b4ff } .label { fill: #b6bec9 }
  .page { fill: #131416 } .frame { fill: #1c2436 } .frame, .box { stroke: #46587f } .box { fill: #131a29 }
  .arrow { stroke: #b6bec9 } .head { fill: #b6bec9 }
}
"""


class Place(NamedTuple):
    """Where a box or a frame is."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


class Picture:
    """An SVG that grows downwards. `places` has where each box and frame is, by its name or id."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.places: dict[str, Place] = {}
        self.root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
        self._add("title", description["title"])
        self._add("style", STYLE)
        self._add("marker", None, id="head", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=7, markerHeight=7)
        self.root[-1].set("orient", "auto-start-reverse")
        ElementTree.SubElement(self.root[-1], "path", {"d": "M0 0 L8 4 L0 8 z", "class": "head"})
        page = self._add("rect", None, "page", x=0, y=0, width=WIDTH, rx=10)
        self._overs = {arrow["from"] for arrow in description["arrows"] if arrow.get("over")}
        bottom = float(MARGIN)
        for frame in description["frames"]:
            bottom = self._frame(frame, bottom) + ARROW
        for arrow in description["arrows"]:
            self._arrow(self.places[arrow["from"]], self.places[arrow["to"]], arrow)
        height = bottom - ARROW + MARGIN
        page.set("height", f"{height:g}")
        self.root.set("viewBox", f"0 0 {WIDTH} {height:g}")
        self.root.set("width", str(WIDTH))

    def _add(self, tag: str, text: str | None, style: str = "", **attributes: object) -> ElementTree.Element:
        element = ElementTree.SubElement(self.root, tag, {"class": style} if style else {})
        for name, value in attributes.items():
            element.set(name.replace("_", "-"), f"{value:g}" if isinstance(value, float) else str(value))
        element.text = text
        return element

    def _text(self, text: str, style: str, x: float, y: float, anchor: str = "middle") -> None:
        self._add("text", text, style, x=x, y=y, text_anchor=anchor)

    def _frame(self, frame: dict[str, Any], top: float) -> float:
        """Draw a frame with its rows, and return where it ends. A frame without a name has no border."""
        border = self._add("rect", None, "frame", x=MARGIN, y=top, width=WIDTH - 2 * MARGIN, rx=8)
        bottom = top
        if "name" in frame:
            self._text(frame["name"], "heading", MARGIN + PADDING, top + 21, "start")
            bottom = top + HEADING
        else:
            self.root.remove(border)
        for row in frame["rows"]:
            boxes = [box if isinstance(box, dict) else {box: []} for box in row]
            bottom += OVER if self._overs & {name for box in boxes for name in box} else 0
            bottom = self._row(boxes, bottom) + PADDING
        border.set("height", f"{bottom - top:g}")
        self.places[frame["id"]] = Place(MARGIN, top, WIDTH - MARGIN, bottom)
        return bottom

    def _row(self, boxes: list[dict[str | None, list[str]]], top: float) -> float:
        """Draw boxes of equal width side by side, and return where they end."""
        left = MARGIN + PADDING
        width = (WIDTH - 2 * left - GAP * (len(boxes) - 1)) / len(boxes)
        bottom = top + max(len(lines) + 1 for box in boxes for lines in box.values()) * LINE + PADDING
        for column, box in enumerate(boxes):
            for name, lines in box.items():
                if name is None:
                    continue
                place = Place(left + column * (width + GAP), top, left + column * (width + GAP) + width, bottom)
                self.places[name] = place
                self._add("rect", None, "box", x=place.left, y=top, width=width, height=bottom - top, rx=6)
                self._text(name, "name", place.middle[0], top + LINE + 2)
                for number, line in enumerate(lines, 2):
                    self._text(line, "label", place.middle[0], top + number * LINE + 2)
        return bottom

    def _arrow(self, start: Place, end: Place, arrow: dict[str, Any]) -> None:
        label = arrow.get("label", "")
        if arrow.get("over"):
            x, y = start.middle[0], start.top - OVER / 2 + 4
            points = [(x, start.top), (x, y), (end.middle[0], y), (end.middle[0], end.top)]
            self._text(label, "label", (x + end.middle[0]) / 2, y - 5)
        elif start.top == end.top:
            points = [(start.right, start.middle[1]), (end.left, end.middle[1])]
        else:
            x = max(min(start.middle[0], end.right), end.left)
            points = [(x, start.bottom), (x, end.top)]
            self._text(label, "label", x + 12, (start.bottom + end.top) / 2 + 5, "start")
        line = self._add(
            "path", None, "arrow", d="M" + " L".join(f"{x:g} {y:g}" for x, y in points), marker_end="url(#head)"
        )
        if arrow.get("both"):
            line.set("marker-start", "url(#head)")


def draw(description: dict[str, Any]) -> str:
    """Return the SVG."""
    root = Picture(description).root
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


if __name__ == "__main__":
    description = yaml.safe_load((IMAGES / "architecture.yml").read_text(encoding="utf-8"))
    (IMAGES / "architecture.svg").write_text(draw(description), encoding="utf-8")
