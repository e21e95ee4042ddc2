# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a document as the app's YAML reader would, and reports what it would refuse, lose or ignore.

The result is a tree of `Value`s that follows the tables of `schema`, for the rules that look at meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from . import scalars
from .document import Alias, Foreign, Mapping, Node, Scalar, Sequence
from .finding import Findings, holds_token, join_path, listing, nearest, quote, suggestion
from .schema import PLACEHOLDER, ROOT, SECRETS, Choice, Flag, Integer, Key, ListOf, MapOf, Price, Real, Record, Text

_CONVERSIONS: dict[type, Callable[[str], Any]] = {
    Integer: scalars.to_integer,
    Real: scalars.to_real,
    Price: scalars.to_decimal,
    Flag: scalars.to_flag,
}
_Collection = TypeVar("_Collection", Mapping, Sequence)
_YAML_TAG = "tag:yaml.org,2002:"
# The tags that the app's reader resolves to the type that the key has anyway.
_TAGS: dict[type, tuple[str, ...]] = {Integer: ("int",), Real: ("float",), Flag: ("bool",)}


@dataclass(slots=True)
class Value:
    """A value of the document.

    Attributes:
        path: key path.
        node: where it stands; `key` the key before it, if it has one.
        required: whether the app needs the key.
        data: str, int, float, Decimal, bool, a dict or a list of Values; None for null and for what is unusable.
        usable: False when a finding already says what is wrong with it.
    """

    path: str
    node: Node
    key: Node | None = None
    required: bool = False
    data: Any = None
    usable: bool = True

    @property
    def place(self) -> Node:
        """Where a finding about something that is missing inside belongs: at the key, as nothing stands there."""
        return self.key or self.node

    def get(self, key: str) -> Value | None:
        """A key of a usable mapping, None when absent."""
        return self.data.get(key) if isinstance(self.data, dict) else None

    def text(self, key: str) -> str:
        """The text of a key, empty when it is absent, null or unusable."""
        value = self.get(key)
        return value.data if value is not None and isinstance(value.data, str) else ""


class ShapeReader:
    """Reads one document. `findings` receives all that is wrong with keys and types."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._anchored: dict[int, tuple[Any, Value]] = {}
        self._scanned: set[int] = set()

    def read(self, root: Node) -> Value:
        """Read the whole document."""
        return self._read(Value("", root), ROOT)

    def _read(self, value: Value, kind: Any) -> Value:
        if isinstance(value.node, Alias):
            return self._read_alias(value, value.node, kind)
        if isinstance(value.node, Foreign):
            return self._refuse(value, "type", f"is {value.node.what}: YAML has no form for it; it must be {kind.noun}")
        if value.node.anchored:
            self._anchored[id(value.node)] = (kind, value)
        if isinstance(kind, Record):
            return self._read_record(value, kind)
        if isinstance(kind, MapOf):
            return self._read_map(value, kind)
        if isinstance(kind, ListOf):
            return self._read_list(value, kind)
        return self._read_scalar(value, kind, value.node)

    def _refuse(self, value: Value, code: str, message: str) -> Value:
        self._findings.error(code, value.path, message, value.node)
        value.data = None
        value.usable = False
        return value

    def _refuse_null(self, value: Value, kind: Any) -> Value:
        return self._refuse(value, "null", f"has no value (null): {_null_effect(kind)}; {_advice(value, kind)}")

    # An anchored value is read once, as the type of the place where it stands; an alias repeats the result
    # (YamlDotNet, AliasValueDeserializer).
    def _read_alias(self, value: Value, alias: Alias, kind: Any) -> Value:
        seen = self._anchored.get(id(alias.target))
        if seen is None:
            return self._refuse(
                value,
                "alias",
                f"the anchor of `*{alias.name}` stands under a key that the app ignores, so the app refuses the whole "
                "file: write the value out, or put the anchor where the app reads it first",
            )
        first_kind, first = seen
        if not isinstance(alias.target, Scalar):
            if first_kind is not kind:
                return self._refuse(
                    value,
                    "alias",
                    f"`*{alias.name}` repeats the value of `{first.path}`, which the app has read as another type, so "
                    "the app refuses the whole file: write the value out",
                )
            value.data, value.usable = first.data, first.usable
            return value
        if isinstance(kind, Record | MapOf | ListOf):
            return self._refuse(value, "type", f"is `*{alias.name}`, a single value: it must be {kind.noun}")
        return self._read_scalar(value, kind, alias.target)

    def _collection(self, value: Value, kind: Any, expected: type[_Collection]) -> _Collection | None:
        """The node of a value that is the collection that is wanted; None once a finding says that it is not."""
        node = value.node
        if isinstance(node, Scalar) and node.is_null:
            self._refuse_null(value, kind)
        elif not isinstance(node, expected):
            later = ""
            if isinstance(node, Scalar) and isinstance(kind, Record) and kind.name == "agent":
                later = "; names of a catalog came with a later version of the app (p0139, 2f3e5c7c, 2026-05-17)"
            self._refuse(value, "type", f"is {_what(node)}: it must be {kind.noun}{later}")
        elif node.tag is not None:
            self._refuse(value, "tag", _tag_message(node.tag))
        else:
            return node
        return None

    def _read_record(self, value: Value, record: Record) -> Value:
        mapping = self._collection(value, record, Mapping)
        if mapping is None:
            return value
        value.data = {}
        for name, key_node, item_node in self._entries(mapping, value.path):
            key = record.keys.get(name)
            path = join_path(value.path, name)
            if key is None:
                self._ignored(record, name, path, key_node)
                self._scan_ignored(path, item_node)
                continue
            item = Value(path, item_node, key_node, key.required)
            bare = item_node.target if isinstance(item_node, Alias) else item_node
            absent = key.nullable and isinstance(bare, Scalar) and bare.is_null
            value.data[name] = item if absent else self._read(item, key.kind)
            if key.never_read:
                message = f"the app never reads it: {key.never_read}; remove it"
                self._findings.warning("ignored", path, message, key_node)
        for name, key in record.keys.items():
            if key.required and name not in value.data:
                self._missing(value, name, key)
        return value

    def _missing(self, value: Value, name: str, key: Key) -> None:
        allowed = f", one of {listing(key.kind.values)}" if isinstance(key.kind, Choice) else ""
        message = f"is missing: {key.description} It is {key.kind.noun}{allowed}"
        self._findings.error("missing", join_path(value.path, name), message, value.place)

    def _read_map(self, value: Value, kind: MapOf) -> Value:
        mapping = self._collection(value, kind, Mapping)
        if mapping is not None:
            value.data = {}
            for name, key_node, item_node in self._entries(mapping, value.path):
                value.data[name] = self._read(Value(join_path(value.path, name), item_node, key_node), kind.item)
                if kind is SECRETS:
                    self._check_secret(value.data[name])
        return value

    def _read_list(self, value: Value, kind: ListOf) -> Value:
        sequence = self._collection(value, kind, Sequence)
        if sequence is not None:
            value.data = [
                self._read(Value(f"{value.path}[{index}]", node), kind.item)
                for index, node in enumerate(sequence.items)
            ]
        return value

    def _read_scalar(self, value: Value, kind: Any, scalar: Node) -> Value:
        if not isinstance(scalar, Scalar):
            return self._refuse(value, "type", f"is {_what(scalar)}: it must be {kind.noun}")
        if scalar.is_null:
            return self._refuse_null(value, kind)
        if scalar.tag not in (None, *(_YAML_TAG + name for name in ("str", *_TAGS.get(type(kind), ())))):
            return self._refuse(value, "tag", _tag_message(scalar.tag))
        if kind is SECRETS.item:
            value.data = scalar.text
            return value
        if holds_token(scalar.text):
            return self._refuse(
                value,
                "secret_in_clear",
                "looks like a token, and a ConfigMap is no place for one: put it into the vault (secrets_*), and have "
                "the provider replace it if this file was ever shared",
            )
        if PLACEHOLDER.search(scalar.text):
            return self._refuse(
                value,
                "placeholder",
                f"holds the placeholder {quote(scalar.text)}: the app resolves `${{NAME}}` under `secrets` only and "
                "takes it literally here; write the value",
            )
        if isinstance(kind, Text):
            value.data = scalar.text
            if not scalar.text.strip() and not kind.may_be_empty:
                self._refuse(value, "empty", f"is empty: {_advice(value, kind)}")
            return value
        if isinstance(kind, Choice):
            return self._read_choice(value, kind, scalar.text)
        return self._read_number(value, kind, scalar.text)

    def _read_choice(self, value: Value, kind: Choice, text: str) -> Value:
        value.data = text
        allowed = f"{quote(text)} is not known to the app; allowed, in any case: {listing(kind.values)}"
        folded = text.lower()
        if folded in kind.later:
            meant = nearest(text, kind.values)
            hint = f": {kind.later[folded]}" + (f"; write {quote(meant)}" if meant else "")
            return self._refuse(value, "unknown_type", allowed + hint)
        if folded not in (known.lower() for known in kind.values):
            return self._refuse(value, "unknown_type", allowed + suggestion(text, kind.values))
        return value

    def _read_number(self, value: Value, kind: Any, text: str) -> Value:
        try:
            value.data = _CONVERSIONS[type(kind)](text)
        except ValueError:
            return self._refuse(value, "type", f"is {quote(text)}: it must be {kind.noun} (quotes do not matter)")
        if not isinstance(kind, Flag) and value.data < kind.minimum:
            message = f"is {quote(text)}: the least that makes sense is {kind.minimum}"
            return self._refuse(value, "out_of_range", message)
        return value

    def _entries(self, mapping: Mapping, path: str) -> list[tuple[str, Scalar, Node]]:
        """The entries of a mapping whose keys are usable; the last of several equal keys, as the app takes it."""
        entries: dict[str, tuple[str, Scalar, Node]] = {}
        for key, item in mapping.entries:
            if not isinstance(key, Scalar):
                self._findings.error("key", path, f"has a key that is {_what(key)}: keys must be text", key)
                continue
            if key.text == "<<" and key.plain:
                self._findings.error(
                    "merge_key",
                    join_path(path, key.text),
                    "the app does not know YAML merge keys and loses what they bring: write the keys out",
                    key,
                )
                continue
            if key.text in entries:
                self._duplicate(path, key.text, key, entries[key.text][1])
            entries[key.text] = (key.text, key, item)
        return list(entries.values())

    def _duplicate(self, path: str, name: str, key: Node, first: Node) -> None:
        seen = f" (first in line {first.origin.line})" if first.origin.line else ""
        message = f"stands twice{seen}: the app takes the last one and drops the other; remove one"
        self._findings.error("duplicate", join_path(path, name), message, key)

    def _ignored(self, record: Record, name: str, path: str, key: Node) -> None:
        if record.name == "project" and name == "pricing":
            hint = ": prices belong under `agent` of the project, move it there (upstream's own examples had it wrong)"
        elif later := record.later.get(name):
            hint = f": {later}"
        elif meant := nearest(name, record.keys):
            hint = f"; did you mean {quote(meant)}?"
        elif home := _HOMES.get(name):
            hint = f": it is a key of {home}"
        else:
            hint = f"; known here: {listing(record.keys)}"
        self._findings.warning("ignored", path, f"the app ignores this key{hint}", key)

    def _scan_ignored(self, path: str, node: Node) -> None:
        """What the app ignores is stored in the ConfigMap nevertheless: no tokens, no duplicate keys."""
        pending = [node]
        while pending:
            node = pending.pop()
            if id(node) in self._scanned:
                continue
            self._scanned.add(id(node))
            if isinstance(node, Scalar) and holds_token(node.text):
                message = "looks like a token, and a ConfigMap is no place for one: put it into the vault (secrets_*)"
                self._findings.error("secret_in_clear", path, message, node)
            elif isinstance(node, Sequence):
                pending.extend(node.items)
            elif isinstance(node, Mapping):
                first: dict[str, Node] = {}
                for key, item in node.entries:
                    pending.append(item)
                    if isinstance(key, Scalar) and first.setdefault(key.text, key) is not key:
                        self._duplicate(path, key.text, key, first[key.text])

    def _check_secret(self, value: Value) -> None:
        if value.usable and value.data and not PLACEHOLDER.fullmatch(value.data):
            self._refuse(
                value,
                "secret_in_clear",
                "is clear text, and a ConfigMap is no place for a secret: nothing in the app reads it, so remove it or "
                "write `${NAME}`; the value belongs into the vault (secrets_*)",
            )


def _homes(record: Record, homes: dict[str, str]) -> dict[str, str]:
    """Every key of the schema with the path of one record that has it, for keys that stand at the wrong level."""
    for name, key in record.keys.items():
        if record is not ROOT:
            homes.setdefault(name, f"`{record.name}`")
        kind = key.kind.item if isinstance(key.kind, MapOf) else key.kind
        if isinstance(kind, Record):
            _homes(kind, homes)
    return homes


_HOMES = _homes(ROOT, {})


def _what(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Scalar):
        return quote(node.text)
    return "an alias" if isinstance(node, Alias) else "no YAML value"


def _advice(value: Value, kind: Any) -> str:
    return f"give {kind.noun}" + ("" if value.required else ", or remove it")


def _null_effect(kind: Any) -> str:
    """What the app makes of an explicit null."""
    if isinstance(kind, Integer | Real | Price):
        return "the app takes 0, not its default"
    if isinstance(kind, Flag):
        return "the app takes false, not its default"
    return "the app fails with a NullReferenceException when it uses it"


def _tag_message(tag: str | None) -> str:
    return f"has the YAML tag {quote(tag or '')}, which the app does not accept here: remove the tag"
