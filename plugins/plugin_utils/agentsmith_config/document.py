# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration as a tree of nodes that know where they stand.

Both ways in give the same tree: YAML text (`from_text`) and plain data (`from_data`), so that one set of rules serves a
file and a variable. The tree keeps what the app's YAML reader (YamlDotNet) distinguishes and a loaded dict has lost:
scalars as text with their quoting, explicit tags, duplicate keys, aliases.

Input is hostile until proven otherwise: depth and number of nodes are limited, aliases stay references.
"""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

MAX_BYTES = 1024 * 1024
"""A Kubernetes ConfigMap holds at most 1 MiB of data."""
MAX_DEPTH = 64
"""Levels; the deepest key of the app's file stands on level 7."""
MAX_NODES = 250_000
"""1 MiB of the densest plausible YAML."""

# The C parser is some ten times faster; PyYAML falls back to Python where libyaml is missing.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL_TEXTS = frozenset(("", "~", "null", "Null", "NULL"))
NULL_TAG = "tag:yaml.org,2002:null"


class Origin(NamedTuple):
    """Where a value was written: file, line and column (both from 1); None where that is not known."""

    file: str | None = None
    line: int | None = None
    column: int | None = None


class Node:
    """One value of the document."""

    __slots__ = ("anchored", "origin", "tag")

    def __init__(self, origin: Origin, tag: str | None = None, anchored: bool = False) -> None:
        self.origin = origin
        self.tag = tag
        self.anchored = anchored


class Scalar(Node):
    """Text. `plain` is False for quoted and block text, which is never null."""

    __slots__ = ("plain", "text")

    def __init__(self, origin: Origin, text: str, plain: bool, tag: str | None = None, anchored: bool = False) -> None:
        super().__init__(origin, tag, anchored)
        self.text = text
        self.plain = plain

    @property
    def is_null(self) -> bool:
        """What YamlDotNet's NullNodeDeserializer takes for null (https://yaml.org/type/null.html)."""
        return self.tag == NULL_TAG or (self.plain and self.text in _NULL_TEXTS)


class Sequence(Node):
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self, origin: Origin, tag: str | None = None, anchored: bool = False) -> None:
        super().__init__(origin, tag, anchored)
        self.items: list[Node] = []


class Mapping(Node):
    """Pairs of key and value in the order of the text, duplicates included."""

    __slots__ = ("entries",)

    def __init__(self, origin: Origin, tag: str | None = None, anchored: bool = False) -> None:
        super().__init__(origin, tag, anchored)
        self.entries: list[tuple[Node, Node]] = []


class Alias(Node):
    """`*name`: a reference to an anchored node that stands further up."""

    __slots__ = ("name", "target")

    def __init__(self, origin: Origin, name: str, target: Node) -> None:
        super().__init__(origin)
        self.name = name
        self.target = target


class Foreign(Node):
    """A Python object that YAML has no form for; `what` names it."""

    __slots__ = ("what",)

    def __init__(self, origin: Origin, what: str) -> None:
        super().__init__(origin)
        self.what = what


@dataclass(slots=True)
class Problem:
    """What is wrong with the document as such, before any key is looked at."""

    code: str
    message: str
    origin: Origin


@dataclass(slots=True)
class Document:
    """`root` is None when there is nothing to check: an empty document, or one that could not be read."""

    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)


class _Unreadable(Exception):
    """Stops the reading of a document."""

    def __init__(self, code: str, message: str, origin: Origin) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, origin)


def from_text(source: str | bytes, file: str | None = None) -> Document:
    """Read YAML text.

    Args:
        source: the text, or its bytes (UTF-8, with or without a byte order mark).
        file: its name, for the origins.
    """
    try:
        return _compose(_events(_decode(source, file), file), file)
    except _Unreadable as error:
        return Document(problems=[error.problem])


def unknown_origin(value: object) -> Origin | None:  # noqa: ARG001 - the form that from_data() wants
    """For plain data whose origins nobody knows."""
    return None


def from_data(data: object, origin_of: Callable[[object], Origin | None] = unknown_origin) -> Document:
    """Read plain data: dicts, lists and scalars.

    A scalar takes the text that it gets when the data is written as YAML; a str counts as quoted, because a writer
    quotes what would be read as something else.

    Args:
        data: the configuration.
        origin_of: tells where a key or value was written, if anybody knows.
    """
    try:
        return Document(root=_DataReader(origin_of).read(data, Origin(), ()))
    except _Unreadable as error:
        return Document(problems=[error.problem])


def _line_of(text: str | bytes, offset: int, file: str | None) -> Origin:
    newline: Any = b"\n" if isinstance(text, bytes) else "\n"
    before = text[:offset]
    return Origin(file, before.count(newline) + 1, offset - before.rfind(newline))


def _decode(source: str | bytes, file: str | None) -> str:
    start = Origin(file, 1, 1)
    if isinstance(source, bytes):
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _Unreadable("encoding", "is UTF-16 text; a ConfigMap holds UTF-8: save the file as UTF-8", start)
        try:
            text = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _Unreadable(
                "encoding",
                f"is not UTF-8 text (byte 0x{source[error.start]:02x}): save the file as UTF-8",
                _line_of(source, error.start, file),
            ) from None
    else:
        text = source.removeprefix("\ufeff")
    if text.startswith("$ANSIBLE_VAULT;"):
        problem = "is encrypted with Ansible Vault: the app's configuration holds no secrets, so decrypt it"
        raise _Unreadable("encrypted", problem, start)
    if unprintable := _UNPRINTABLE.search(text):
        raise _Unreadable(
            "yaml",
            f"is not YAML: the character U+{ord(unprintable.group()):04X} is not allowed",
            _line_of(text, unprintable.start(), file),
        )
    # Measured after the search above: a lone surrogate has no UTF-8 form.
    if len(text.encode()) > MAX_BYTES:
        raise _Unreadable("too_large", "is larger than 1 MiB, the most that a ConfigMap can hold", start)
    return text


def _events(text: str, file: str | None) -> Iterable[Any]:
    """Parse; yields PyYAML events. Unlike its nodes they tell explicit tags from resolved ones."""
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        # An unclosed quote is noticed at the end of the file; where it was opened is what helps.
        at_end = error.context_mark is not None and "end of stream" in (error.problem or "")
        mark = error.context_mark if at_end else error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
        raise _Unreadable("yaml", f"is not YAML: {reason}", origin) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ValueError, OverflowError: escapes such as "\UFFFFFFFF" in PyYAML's own scanner.
        raise _Unreadable("yaml", f"is not YAML: {error}", Origin(file, 1, 1)) from None


def _compose(events: Iterable[Any], file: str | None) -> Document:
    """Build the tree of the first document without recursion."""
    document = Document()
    anchors: dict[str, Node] = {}
    containers: list[Sequence | Mapping] = []
    pending_keys: list[Node | None] = []
    count = 0
    documents = 0

    for event in events:
        origin = Origin(file, event.start_mark.line + 1, event.start_mark.column + 1)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(origin, event.value, event.style in (None, ""), event.tag, event.anchor is not None)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Mapping(origin, event.tag, event.anchor is not None)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Sequence(origin, event.tag, event.anchor is not None)
        elif isinstance(event, yaml.AliasEvent):
            target = anchors.get(event.anchor or "")
            if target is None:
                raise _Unreadable("yaml", f"is not YAML: the alias `*{event.anchor}` has no anchor before it", origin)
            if any(target is container for container in containers):
                problem = f"cannot be read: the alias `*{event.anchor}` stands inside its own anchor"
                raise _Unreadable("yaml", problem, origin)
            node = Alias(origin, event.anchor or "", target)
        elif isinstance(event, yaml.CollectionEndEvent):
            containers.pop()
            pending_keys.pop()
            continue
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problem = "holds more than one YAML document: the app reads none of them; remove the `---` line"
                document.problems.append(Problem("several_documents", problem, origin))
                break
            continue
        else:
            continue

        count += 1
        if count > MAX_NODES:
            raise _Unreadable("too_large", f"holds more than {MAX_NODES} values", origin)
        if not isinstance(event, yaml.AliasEvent) and event.anchor is not None:
            anchors[event.anchor] = node
        if not containers:
            document.root = node
        elif isinstance(containers[-1], Sequence):
            containers[-1].items.append(node)
        elif pending_keys[-1] is None:
            pending_keys[-1] = node
        else:
            containers[-1].entries.append((pending_keys[-1], node))
            pending_keys[-1] = None
        if isinstance(node, Mapping | Sequence):
            if len(containers) == MAX_DEPTH:
                raise _Unreadable("too_deep", f"is nested deeper than {MAX_DEPTH} levels", origin)
            containers.append(node)
            pending_keys.append(None)
    return document


class _DataReader:
    """Turns plain data into nodes."""

    def __init__(self, origin_of: Callable[[object], Origin | None]) -> None:
        self._origin_of = origin_of
        self._count = 0

    def read(self, value: object, near: Origin, parents: tuple[int, ...]) -> Node:
        """Read a value; `near` is the origin of its key, for values that carry none (None and bool never do)."""
        self._count += 1
        if self._count > MAX_NODES:
            raise _Unreadable("too_large", f"holds more than {MAX_NODES} values", near)
        origin = self._origin_of(value) or near
        if isinstance(value, AnyMapping):
            mapping = Mapping(origin)
            inside = self._descend(value, origin, parents)
            for key, item in value.items():
                key_node = self.read(key, Origin(), inside)
                mapping.entries.append((key_node, self.read(item, key_node.origin, inside)))
            return mapping
        if isinstance(value, list | tuple):
            sequence = Sequence(origin)
            inside = self._descend(value, origin, parents)
            sequence.items.extend(self.read(item, Origin(), inside) for item in value)
            return sequence
        return _scalar(value, origin)

    @staticmethod
    def _descend(value: object, origin: Origin, parents: tuple[int, ...]) -> tuple[int, ...]:
        if id(value) in parents:
            raise _Unreadable("yaml", "cannot be written as YAML: a value contains itself", origin)
        if len(parents) == MAX_DEPTH:
            raise _Unreadable("too_deep", f"is nested deeper than {MAX_DEPTH} levels", origin)
        return (*parents, id(value))


def _scalar(value: object, origin: Origin) -> Node:
    if value is None:
        return Scalar(origin, "null", plain=True)
    if isinstance(value, str):
        return Scalar(origin, str(value), plain=False)
    if isinstance(value, bool):
        return Scalar(origin, "true" if value else "false", plain=True)
    if isinstance(value, int):
        try:
            return Scalar(origin, str(int(value)), plain=True)
        except ValueError:  # Python writes no more than 4300 digits.
            return Foreign(origin, "a number of thousands of digits")
    if isinstance(value, float):
        special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
        text = repr(float(value))
        return Scalar(origin, special.get(text, text), plain=True)
    if isinstance(value, datetime.date):
        return Scalar(origin, value.isoformat(), plain=True)
    return Foreign(origin, f"a value of the type {type(value).__name__}")
