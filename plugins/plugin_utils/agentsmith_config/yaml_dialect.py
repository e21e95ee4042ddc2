# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as the app's parser (YamlDotNet 16.3) reads it, where libyaml differs.

libyaml reads every file first, because it is quick. What only YamlDotNet refuses, `refusal()` finds in libyaml's
events. What only YamlDotNet reads, `tolerant_events()` reads with PyYAML's own parser, slowly, after libyaml has
failed. All of it was seen with the app; nothing else of YAML 1.2 is taken for readable.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import FlowMappingStartToken

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT_IN_HEADER = re.compile(r"[|>][-+0-9]*#")
_TAG_WITH_COMMA = re.compile(r"(?:&\S+[ \t]+)?![^\s\[\]{},]*,")


class Flow:
    """Where the flow collection that is being read was opened, and the column of the block that it stands in."""

    __slots__ = ("column", "indent", "line")

    def __init__(self, line: int, column: int, indent: int) -> None:
        self.line, self.column, self.indent = line, column, indent


def refusal(event: Any, text: str, indent: int, flow: Flow | None, in_flow_mapping: bool) -> str | None:
    """What YamlDotNet says against an event that libyaml accepts, None for nothing.

    Args:
        event: a PyYAML event that starts a node.
        text: the whole document.
        indent: column of the innermost block collection, -1 outside.
        flow: the outermost open flow collection.
        in_flow_mapping: whether the node is a value of a flow mapping.
    """
    start, end = event.start_mark, event.end_mark
    if flow is not None and start.line > flow.line and start.column <= flow.indent:
        return "an item of a flow list or mapping stands no deeper than the key before it: indent it"
    if flow is not None and event.tag is not None and _TAG_WITH_COMMA.match(text, start.index):
        return "a comma follows a tag directly: put a space between them, or remove the tag"
    if not isinstance(event, yaml.ScalarEvent):
        return None
    if event.style in ("|", ">"):
        return _block_text(event, text, indent)
    if flow is not None and not event.style and event.value == "-":
        return "a lone dash in a flow list or mapping: put it into quotes"
    if in_flow_mapping and event.anchor is not None and _next_character(text, end.index) == ",":
        return "a text with an anchor must be the last entry of a flow mapping: write the mapping in block style"
    if end.line > start.line and (event.style == '"' or (flow is not None and not event.style)):
        for line in _BREAK.split(text[start.index : end.index])[1:]:
            bare = line.lstrip(" \t")
            if bare and len(line) - len(bare) <= indent:
                return "a text goes on in a line that stands no deeper than its key: indent it"
    return None


def _block_text(event: Any, text: str, indent: int) -> str | None:
    header, *lines = _BREAK.split(text[event.start_mark.index : event.end_mark.index])
    if _COMMENT_IN_HEADER.search(header):
        return "a comment follows `|` or `>` directly: put a space before `#`"
    blank = 0
    for line in lines:
        if line.strip(" "):
            deep = len(line) - len(line.lstrip(" "))
            break
        blank = max(blank, len(line))
    else:
        deep = indent + 1
    explicit = re.search(r"[|>][-+]?[0-9]", header)
    if blank and blank >= deep and not explicit:
        return "a block text starts with a line of spaces alone: empty that line"
    return None


def _next_character(text: str, index: int) -> str:
    while index < len(text) and text[index] in " \t":
        index += 1
    return text[index : index + 1]


TOLERATED = frozenset(
    (
        "did not find expected alphabetic or numeric character",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "did not find expected node content",
        "found a tab character where an indentation space is expected",
        "found character that cannot start any token",
        "found incompatible YAML document",
        "found unknown directive name",
    )
)
"""What libyaml says when YamlDotNet may read on."""
# What PyYAML's parser cannot be taught is replaced by a text of the same length: an empty key and a question mark in a
# flow collection, tabs in a blank first line.
_SAME_LENGTH = (
    (re.compile(r"(?<=[\[,]):(?=[,\]])"), "~"),
    (re.compile(r"(?<=[:,\[] )\?(?=\w)"), "_"),
    (re.compile(r"\A[ \t]+(?=[\r\n])"), " "),
)
_SPACE_OR_FLOW = "\0 \t\r\n\x85\u2028\u2029,[]{}"


class _YamlDotNet(Reader, Scanner, Parser):
    """PyYAML's parser with the few things of YAML 1.2 that YamlDotNet reads."""

    def __init__(self, text: str) -> None:
        self._text = text + "\0"
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        self._mappings: list[bool] = []

    def fetch_flow_collection_start(self, token_class: Any) -> None:
        """Remember whether it is a mapping."""
        self._mappings.append(token_class is FlowMappingStartToken)
        super().fetch_flow_collection_start(token_class)

    def fetch_flow_collection_end(self, token_class: Any) -> None:
        """Forget it."""
        if self._mappings:
            self._mappings.pop()
        super().fetch_flow_collection_end(token_class)

    def stale_possible_simple_keys(self) -> None:
        """In a flow mapping a quoted key may be long, and its colon may stand in a later line."""
        kept = {
            level: key
            for level, key in self.possible_simple_keys.items()
            if level and level == self.flow_level and self._mappings[-1] and self._text[key.index] in "\"'"
        }
        super().stale_possible_simple_keys()
        self.possible_simple_keys.update(kept)

    def check_value(self) -> bool:
        """A colon within a flow collection may start a text, such as `{a: :b}`."""
        if not self.flow_level:
            return bool(super().check_value())
        return self.peek(1) in _SPACE_OR_FLOW or self._text[max(0, self.index - 1)] in "\"']}"

    def check_plain(self) -> bool:
        """The other side of `check_value`."""
        return bool(super().check_plain()) or (
            bool(self.flow_level) and self.peek() == ":" and self.peek(1) not in _SPACE_OR_FLOW
        )

    def scan_plain(self) -> Any:
        """PyYAML's own never ends with an empty text."""
        start = self.index
        token = super().scan_plain()
        if self.index == start:
            raise ScannerError(None, None, "found a character that cannot start a text", self.get_mark())
        return token

    def check_printable(self, data: Any) -> None:
        """The caller has looked at the characters."""

    def scan_to_next_token(self) -> None:
        """A tab may follow the dash of a list's item."""
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or self._follows_a_dash())):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\r\n\x85\u2028\u2029":
                    self.forward()
            line_break: str = super().scan_line_break()  # type: ignore[no-untyped-call]
            if not line_break:
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _follows_a_dash(self) -> bool:
        line = self.buffer[self.pointer - self.column : self.pointer].strip(" \t")
        return line != "" and not line.strip("- \t")

    def scan_anchor(self, token_class: Any) -> Any:
        """The name of an anchor may hold any character but white space and the marks of flow collections."""
        start = self.get_mark()
        self.forward()
        length = 0
        while self.peek(length) not in _SPACE_OR_FLOW:
            length += 1
        if not length:
            raise ScannerError("while scanning an anchor", start, "expected a name", self.get_mark())
        name = self.prefix(length)
        self.forward(length)
        return token_class(name, start, self.get_mark())


def tolerant_events(text: str) -> Iterator[Any]:
    """The events of a text that libyaml does not read, as far as YamlDotNet reads it. Raises as PyYAML does."""
    for pattern, replacement in _SAME_LENGTH:
        text = pattern.sub(functools.partial(_filled, replacement), text)
    parser = _YamlDotNet(text)
    while parser.check_event():
        yield parser.get_event()  # type: ignore[no-untyped-call]


def _filled(character: str, found: re.Match[str]) -> str:
    return character * len(found[0])
