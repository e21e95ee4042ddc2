# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration as a tree of nodes that know where they stand.

Both ways in give the same tree: YAML text (`from_text`) and plain data (`from_data`), so that one set of rules serves a
file and a variable. The tree keeps what the app's YAML reader (YamlDotNet) distinguishes and a loaded dict has lost:
scalars as text with their quoting, explicit tags, duplicate keys, aliases.

Input is hostile until proven otherwise: depth and number of nodes are limited, aliases stay references.
"""

import codecs
import datetime
import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from .yaml_dialect import TOLERATED, refusal, tolerant_events, touching_comment, unclosed_bracket

MAX_BYTES = 1024 * 1024
"""A Kubernetes ConfigMap holds at most 1 MiB of data."""
MAX_DEPTH = 500
"""Levels of a text. The app reads that many, the deepest key that it knows stands on level 7."""
MAX_DATA_DEPTH = 64
"""Levels of plain data, which is read by recursion."""
MAX_NODES = 250_000
"""1 MiB of the densest plausible YAML."""

# The C parser is some ten times faster; PyYAML falls back to Python where libyaml is missing.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# YamlDotNet reads them and libyaml does not: for parsing they are replaced by a character that libyaml reads.
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_STAND_IN = "\ufffd"
_LONGEST_TOLERATED = 200_000
_ENDS = frozenset((yaml.MappingEndEvent, yaml.SequenceEndEvent))
_NODES = frozenset((yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent))
_NULL_TEXTS = frozenset(("", "~", "null", "Null", "NULL"))


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
        return self.plain and self.text in _NULL_TEXTS


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
    """`*name`: a reference to an anchored node that stands further up; `target` is None without such a node.

    The app looks for the node only where it reads the alias.
    """

    __slots__ = ("name", "target")

    def __init__(self, origin: Origin, name: str, target: Node | None) -> None:
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
    """What is wrong with the document as such, before any key is looked at; `fatal` unless the app reads it."""

    code: str
    message: str
    origin: Origin
    fatal: bool = True


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
    problems: list[Problem] = []
    try:
        text = _without_control_characters(_decode(source, file), file, problems)
        document = _parse(text, file)
    except _Unreadable as error:
        return Document(problems=[error.problem])
    document.problems[:0] = problems
    return document


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
    if text.startswith("\ufeff"):
        problem = "starts with two byte order marks: the second one becomes a part of the first key; remove both"
        raise _Unreadable("encoding", problem, start)
    if text.startswith("$ANSIBLE_VAULT;"):
        problem = "is encrypted with Ansible Vault: the app's configuration holds no secrets, so decrypt it"
        raise _Unreadable("encrypted", problem, start)
    # The app's reader takes a NUL for the end of the file.
    text = text.rstrip("\0")
    if unprintable := _UNPRINTABLE.search(_CONTROL.sub("", text)):
        unprintable = re.search(re.escape(unprintable.group()), text) or unprintable
        raise _Unreadable(
            "yaml",
            f"is not YAML: the character U+{ord(unprintable.group()):04X} is not allowed",
            _line_of(text, unprintable.start(), file),
        )
    # Measured after the search above: a lone surrogate has no UTF-8 form.
    if len(text.encode()) > MAX_BYTES:
        raise _Unreadable("too_large", "is larger than 1 MiB, the most that a ConfigMap can hold", start)
    return text


def _without_control_characters(text: str, file: str | None, problems: list[Problem]) -> str:
    if found := _CONTROL.search(text):
        message = f"holds the control character U+{ord(found.group()):04X}, which few other programs read: remove it"
        problems.append(Problem("control_character", message, _line_of(text, found.start(), file), fatal=False))
        return _CONTROL.sub(_STAND_IN, text)
    return text


def _parse(text: str, file: str | None) -> Document:
    """The first document of a text."""
    try:
        return _parse_events(text, file)
    except _Unreadable as error:
        origin = error.problem.origin
        if error.problem.code == "yaml" and origin.line and len(text) <= _LONGEST_TOLERATED:
            # What comes after a forgotten bracket is read as a part of the collection, and fails anywhere.
            mark = unclosed_bracket(text)
            if mark is not None and mark.line + 1 <= origin.line:
                problem = f"is not YAML: nothing closes this `{text[mark.index]}`"
                raise _Unreadable("yaml", problem, Origin(file, mark.line + 1, mark.column + 1)) from None
        raise


def _parse_events(text: str, file: str | None) -> Document:
    """PyYAML's events tell explicit tags from resolved ones, its nodes do not."""
    try:
        if mark := touching_comment(text, _Loader):
            problem = "is YAML that the app's parser refuses: put a space before the comment, or remove it"
            raise _Unreadable("yaml", problem, Origin(file, mark.line + 1, mark.column + 1))
        return _compose(yaml.parse(text, Loader=_Loader), text, file)
    except yaml.MarkedYAMLError as error:
        reported = error
        # Python's parser is slow, and the few things that only the app reads stand in files that people write.
        if error.problem in TOLERATED and len(text) <= _LONGEST_TOLERATED:
            try:
                return _compose(tolerant_events(text), text, file)
            except yaml.MarkedYAMLError as later:
                reported = later
            except (yaml.YAMLError, ValueError, OverflowError):
                pass
        raise _not_yaml(reported, file) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ValueError, OverflowError: escapes such as "\UFFFFFFFF" in PyYAML's own scanner.
        raise _Unreadable("yaml", f"is not YAML: {error}", Origin(file, 1, 1)) from None


def _not_yaml(error: yaml.MarkedYAMLError, file: str | None) -> _Unreadable:
    # An unclosed quote is noticed at the end of the file; where it was opened is what helps.
    at_end = error.context_mark is not None and (
        "end of stream" in (error.problem or "") or "flow" in (error.context or "")
    )
    mark = error.context_mark if at_end else error.problem_mark or error.context_mark
    reason = " ".join(part for part in (error.context, error.problem) if part)
    return _Unreadable(
        "yaml", f"is not YAML: {reason}", Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
    )


def _compose(events: Iterable[Any], text: str, file: str | None) -> Document:
    """Build the tree of the first document without recursion."""
    document = Document()
    anchors: dict[str, Node] = {}
    containers: list[Sequence | Mapping] = []
    pending_keys: list[Node | None] = []
    indents: list[int] = [-1]
    flows: list[bool] = []
    braces: list[bool] = []
    count = 0
    documents = 0

    for event in events:
        kind = type(event)
        mark = event.start_mark
        if kind in _ENDS:
            containers.pop()
            pending_keys.pop()
            indents.pop()
            flows.pop()
            braces.pop()
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                problem = "holds more than one YAML document: the app reads none of them; remove the `---` line"
                document.problems.append(
                    Problem("several_documents", problem, Origin(file, mark.line + 1, mark.column + 1))
                )
                break
            continue
        if kind not in _NODES:
            continue
        origin = Origin(file, mark.line + 1, mark.column + 1)
        node: Node
        if kind is yaml.ScalarEvent:
            node = Scalar(origin, event.value, event.style in (None, ""), event.tag, event.anchor is not None)
            special = flows[-1:] == [True] or event.end_mark.line > mark.line
        elif kind is yaml.AliasEvent:
            node, special = Alias(origin, event.anchor or "", anchors.get(event.anchor or "")), False
        else:
            node = (Mapping if kind is yaml.MappingStartEvent else Sequence)(
                origin, event.tag, event.anchor is not None
            )
            special = flows[-1:] == [True]
        if special:
            in_braces = braces[-1:] == [True] and pending_keys[-1] is not None
            if reason := refusal(event, text, indents[-1], flows[-1:] == [True], in_braces):
                raise _Unreadable("yaml", f"is YAML that the app's parser refuses: {reason}", origin)

        count += 1
        if count > MAX_NODES:
            raise _Unreadable("too_large", f"holds more than {MAX_NODES} values", origin)
        if kind is not yaml.AliasEvent and event.anchor is not None:
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
            flows.append(bool(event.flow_style))
            # A pair in a list, `[a: b]`, is a mapping without braces.
            braces.append(kind is yaml.MappingStartEvent and text[event.end_mark.index - 1] == "{")
            indents.append(indents[-1] if event.flow_style else _block_column(event, text))
    return document


def _block_column(event: Any, text: str) -> int:
    """The column of a block collection: an anchor before it stands elsewhere, and ends where the collection starts."""
    end = event.end_mark
    # The end of a list that is not indented is the end of its first dash.
    after_dash = isinstance(event, yaml.SequenceStartEvent) and text[end.index : end.index + 1] != "-"
    return int(end.column) - after_dash


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
        if len(parents) == MAX_DATA_DEPTH:
            raise _Unreadable("too_deep", f"is nested deeper than {MAX_DATA_DEPTH} levels", origin)
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
