# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as the app's parser (YamlDotNet 16.3) reads it, where libyaml differs.

libyaml reads every file first, because it is quick. What only YamlDotNet refuses, `refusal()` finds in libyaml's
events. What only YamlDotNet reads, `tolerant_events()` reads with PyYAML's own parser, slowly, after libyaml has
failed. All of it was seen with the app; nothing else of YAML 1.2 is taken for readable.
"""

import contextlib
import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import (
    FlowEntryToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
)

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCK_HEADER = re.compile(r"(?:[&!]\S*\s+)*([|>])[-+]?([1-9]?)[-+]?(#?)")
_SPACES = re.compile(" *")
_WHITE_OR_COMMENT = re.compile(r"(?:\s|#[^\n\r\x85\u2028\u2029]*)*")
_TAG_WITH_COMMA = re.compile(r"(?:&\S+[ \t]+)?![^\s\[\]{},]*,(?![\n\r\x85\u2028\u2029])")
_TOUCHING_COMMENT = re.compile(r"[\],\"]#")


def touching_comment(text: str, loader: Any) -> Any:
    """The mark of the first comment that YamlDotNet refuses for its place, None for none."""
    if _TOUCHING_COMMENT.search(text):
        for token in yaml.scan(text, Loader=loader):
            ends = isinstance(token, FlowSequenceEndToken | FlowEntryToken) or getattr(token, "style", None) == '"'
            if ends and text[token.end_mark.index : token.end_mark.index + 1] == "#":
                return token.end_mark
    return None


def _matched(pattern: re.Pattern[str], text: str, start: int) -> str:
    found = pattern.match(text, start)
    return found[0] if found else ""


def refusal(event: Any, text: str, indent: int, in_flow: bool, in_braces: bool) -> str | None:
    """What YamlDotNet says against an event that libyaml accepts, None for nothing.

    Args:
        event: a PyYAML event that starts a node.
        text: the whole document.
        indent: column of the innermost block collection, -1 outside.
        in_flow: whether the node is in a flow collection.
        in_braces: whether the node is a value between `{` and `}`.
    """
    first, last = event.start_mark, event.end_mark
    start, end = first.index, last.index
    if in_flow and event.tag is not None and _TAG_WITH_COMMA.match(text, start):
        return "a comma follows a tag directly: put a space between them, or remove the tag"
    if not isinstance(event, yaml.ScalarEvent):
        return None
    if event.style in ("|", ">"):
        return _block_text(text, start, indent)
    plain = not event.style
    if in_flow and plain and event.value == "-":
        return "a lone dash in a flow list or mapping: put it into quotes"
    if in_flow and plain and event.value:
        before = _matched(_PROPERTIES, text, start)
        broken = before.rfind("\n")
        column = first.column + len(before) if broken < 0 else len(before) - broken - 1
        if column <= indent:
            return "an item of a flow list or mapping stands no deeper than the key before it: indent it"
    if in_braces and event.anchor is not None and (event.style or event.value):
        following = end + len(_matched(_WHITE_OR_COMMENT, text, end))
        if text[following : following + 1] == ",":
            return "a text with an anchor must be the last entry of a flow mapping: write the mapping in block style"
    if last.line > first.line and (event.style == '"' or (in_flow and plain)):
        for line in _BREAK.split(text[start:end])[1:]:
            bare = line.lstrip(" \t")
            if bare and len(line) - len(bare) <= indent:
                return "a text goes on in a line that stands no deeper than its key: indent it"
    return None


def _block_text(text: str, start: int, indent: int) -> str | None:
    """Two checks of the lines of spaces before a block text, step by step as YamlDotNet takes them."""
    header = _BLOCK_HEADER.match(text, start)
    if header is None:
        return None
    literal, digit, comment = header[1] == "|", header[2], header[3]
    if comment:
        return "a comment follows `|` or `>` directly: put a space before `#`"
    # The column of the text, 0 while it is unknown
    column = max(indent, 0) + int(digit) if digit else 0
    line = _BREAK.search(text, header.end())
    first, deepest, offset, number = -1, 0, 0, 0
    while line is not None:
        begin = line.end()
        spaces = len(_matched(_SPACES, text, begin))
        line = _BREAK.match(text, begin + spaces)
        offset = min(spaces, column) if column else spaces
        deepest = max(deepest, offset)
        if offset < spaces and line is not None:
            first = spaces if literal and not number else first
            break
        if line is not None and not number:
            first = offset
        number += 1
    if (literal and first > 1 and column < first - 1) or (not literal and deepest > offset and first > -1):
        return "a block text starts with a line of spaces alone: empty that line"
    return None


TOLERATED = frozenset(
    (
        "did not find expected alphabetic or numeric character",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "did not find expected node content",
        "found invalid Unicode character escape code",
        "found a tab character where an indentation space is expected",
        "found character that cannot start any token",
        "found incompatible YAML document",
        "found unknown directive name",
        "mapping values are not allowed in this context",
    )
)
"""What libyaml says when YamlDotNet may read on."""
# What PyYAML's parser cannot be taught is replaced by a text of the same length: a question mark in a flow collection,
# and two escapes that are one character in UTF-16.
_SAME_LENGTH = (
    (re.compile(r"(?<=[:,\[] )\?(?=\w)"), "_"),
    (re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"), "_"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE_OR_FLOW = "\0 \t\r\n\x85\u2028\u2029,[]{}"


class _YamlDotNet(Reader, Scanner, Parser):
    """PyYAML's parser with the few things of YAML 1.2 that YamlDotNet reads."""

    def __init__(self, text: str) -> None:
        self._text = text + "\0"
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        self._mappings: list[bool] = []

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        """Remember whether it is a mapping."""
        self._mappings.append(TokenClass is FlowMappingStartToken)
        super().fetch_flow_collection_start(TokenClass)

    def fetch_flow_collection_end(self, TokenClass: Any) -> None:
        """Forget it."""
        if self._mappings:
            self._mappings.pop()
        super().fetch_flow_collection_end(TokenClass)

    def stale_possible_simple_keys(self) -> None:
        """In a flow mapping a quoted key may be long, and its colon may stand in a later line."""
        kept = {
            level: key
            for level, key in self.possible_simple_keys.items()
            if level > 0 and level == self.flow_level and self._mappings[-1] and self._text[key.index] in "\"'"
        }
        super().stale_possible_simple_keys()
        self.possible_simple_keys.update(kept)

    def check_value(self) -> bool:
        """A colon within a flow collection may start a text, such as `{a: :b}`, or follow an empty one, `{: b}`."""
        if not self.flow_level:
            return bool(super().check_value())
        if self.allow_simple_key:
            return False
        return self.peek(1) in _SPACE_OR_FLOW or self._text[max(0, self.index - 1)] in "\"']}"

    def check_plain(self) -> bool:
        """The other side of `check_value`; the first text of an entry may start with any character."""
        return bool(super().check_plain()) or (
            bool(self.flow_level)
            and (self.allow_simple_key or (self.peek() == ":" and self.peek(1) not in _SPACE_OR_FLOW))
        )

    def scan_plain(self) -> Any:
        """PyYAML's own never ends with an empty text, which may stand before a colon only."""
        start = self.index
        token = super().scan_plain()
        if self.index == start and self.peek() != ":":
            raise ScannerError(None, None, "found a character that cannot start a text", self.get_mark())
        return token

    def check_printable(self, data: Any) -> None:
        """The caller has looked at the characters."""

    def scan_to_next_token(self) -> None:
        """A tab may stand where the text is deeper than the block, also at the start of a line."""
        while True:
            while self.peek() == " " or (self.peek() == "\t" and self._takes_tab()):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\r\n\x85\u2028\u2029":
                    self.forward()
            line_break: str = super().scan_line_break()  # type: ignore[no-untyped-call]
            if not line_break:
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _takes_tab(self) -> bool:
        return bool(self.flow_level) or not self.allow_simple_key or self.column > self.indent

    def scan_anchor(self, TokenClass: Any) -> Any:
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
        return TokenClass(name, start, self.get_mark())


def tolerant_events(text: str) -> Iterator[Any]:
    """The events of a text that libyaml does not read, as far as YamlDotNet reads it. Raises as PyYAML does."""
    for pattern, replacement in _SAME_LENGTH:
        text = pattern.sub(functools.partial(_filled, replacement), text)
    parser = _YamlDotNet(text)
    while parser.check_event():
        event: Any = parser.get_event()  # type: ignore[no-untyped-call]
        mark = event.start_mark
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            raise ScannerError(None, None, "found half of a character", mark)
        yield event


def unclosed_bracket(text: str) -> Any:
    """The mark of the last bracket that nothing closes, None if there is none or the text ends in another way."""
    scanner = _YamlDotNet(text)
    open_ones = []
    with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError):
        while scanner.check_token():
            token = scanner.get_token()  # type: ignore[no-untyped-call]
            if isinstance(token, FlowSequenceStartToken | FlowMappingStartToken):
                open_ones.append(token.start_mark)
            elif isinstance(token, FlowSequenceEndToken | FlowMappingEndToken) and open_ones:
                open_ones.pop()
        return open_ones[-1] if open_ones else None
    return None


def _filled(character: str, found: re.Match[str]) -> str:
    return character * len(found[0])
