# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a document as the app's YAML reader would, and reports what it would refuse, lose or ignore.

Everything that this module calls an error makes the app refuse the whole file, used or not. Whether a value that loads
is any good depends on who reads it: `values` judges that.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

from . import scalars
from .document import Alias, Foreign, Mapping, Node, Scalar, Sequence
from .finding import Findings, holds_token, join_path, listing, nearest, quote
from .schema import (
    PLACEHOLDER,
    ROOT,
    SECRETS,
    Choice,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Price,
    Real,
    Record,
    Text,
    Unread,
)

_Collection = TypeVar("_Collection", Mapping, Sequence)
_TARGETS: dict[type, str] = {Integer: "int", Real: "float", Price: "decimal", Flag: "bool", Text: "str", Choice: "str"}
_ZERO: dict[type, Any] = {Integer: 0, Real: 0.0, Price: 0, Flag: False}
_CLEAR_TEXT = "looks like a token, and a ConfigMap is no place for one: put it into the vault (secrets_*)"


@dataclass(slots=True)
class Value:
    """A value of the document.

    Attributes:
        path: key path.
        node: where it stands; `key` the key before it, if it has one.
        data: str, int, float, Decimal, bool, a dict or a list of Values; None for null and for what is unusable.
        usable: False when a finding already says what is wrong with it.
        is_null: whether an explicit null stands there; a number and a flag then have the value that the app takes.
    """

    path: str
    node: Node
    key: Node | None = None
    data: Any = None
    usable: bool = True
    is_null: bool = False

    @property
    def place(self) -> Node:
        """Where a finding about something that is missing inside belongs: at the key, as nothing stands there."""
        return self.key or self.node

    def get(self, key: str) -> Self | None:
        """A key of a usable mapping, None when absent."""
        return self.data.get(key) if isinstance(self.data, dict) else None

    def text(self, key: str) -> str:
        """The text of a key, empty when it is absent, null or unusable."""
        value = self.get(key)
        return value.data if value is not None and isinstance(value.data, str) else ""


class ShapeReader:
    """Reads one document. `findings` receives all that makes the app refuse the file, and all that it ignores."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._anchored: dict[int, tuple[Any, Value]] = {}
        self._scanned: set[int] = set()

    def read(self, root: Node, table: Record = ROOT) -> Value:
        """Read the whole document by the table of one release."""
        return self._read(Value("", root), table)

    def _read(self, value: Value, kind: Any) -> Value:
        if isinstance(kind, Unread):
            return self._skip(value, kind)
        if isinstance(value.node, Alias):
            return self._read_alias(value, value.node, kind)
        if isinstance(value.node, Foreign):
            return self._refuse(value, "type", f"is {value.node.what}: YAML has no form for it; it must be {kind.noun}")
        if isinstance(kind, Record):
            read = self._read_record(value, kind)
        elif isinstance(kind, MapOf):
            read = self._read_map(value, kind)
        elif isinstance(kind, ListOf):
            read = self._read_list(value, kind)
        else:
            read = self._read_scalar(value, kind, value.node)
        if value.node.anchored:
            self._anchored[id(value.node)] = (kind, value)
        return read

    def _skip(self, value: Value, kind: Unread) -> Value:
        """What this release skips, as the other one would read it: what is wrong with it does not matter."""
        self._scan_ignored(value.path, value.node)
        skipped = ShapeReader(Findings())._read(value, kind.item)
        skipped.usable = False
        return skipped

    def _refuse(self, value: Value, code: str, message: str) -> Value:
        self._findings.error(code, value.path, message, value.node)
        value.data = None
        value.usable = False
        return value

    # An anchored value is read once, as the type of the place where it stands; an alias repeats the result
    # (YamlDotNet, AliasValueDeserializer).
    def _read_alias(self, value: Value, alias: Alias, kind: Any) -> Value:
        seen = self._anchored.get(id(alias.target))
        if seen is None:
            if alias.target is None:
                why = f"the alias `*{alias.name}` has no anchor before it"
            else:
                why = f"the anchor of `*{alias.name}` stands around it, or under a key that the app ignores"
            advice = "write the value out, or put the anchor where the app reads it first"
            return self._refuse(value, "alias", f"{why}, so the app refuses the whole file: {advice}")
        first_kind, first = seen
        if not isinstance(alias.target, Scalar):
            if not _same_type(first_kind, kind):
                return self._refuse(
                    value,
                    "alias",
                    f"`*{alias.name}` repeats the value of `{first.path}`, which the app has read as another type, so "
                    "the app refuses the whole file: write the value out",
                )
            value.data, value.usable = first.data, first.usable
            return value
        if isinstance(kind, Record | MapOf | ListOf) and not alias.target.is_null:
            return self._refuse(value, "type", f"is `*{alias.name}`, a single value: it must be {kind.noun}")
        if isinstance(kind, Record | MapOf | ListOf):
            value.is_null = True
            return value
        return self._read_scalar(value, kind, alias.target)

    def _collection(self, value: Value, kind: Any, expected: type[_Collection]) -> _Collection | None:
        """The node of a value that is the collection that is wanted; None for null, and once a finding says why."""
        node = value.node
        if isinstance(node, Scalar) and node.is_null and (node.tag is None or _tag_name(node.tag) == "str"):
            value.is_null = True
        elif node.tag is not None:
            self._refuse(value, "tag", _tag_message(node.tag))
        elif not isinstance(node, expected):
            later = ""
            if isinstance(node, Scalar) and isinstance(kind, Record) and kind.name == "agent":
                later = "; names of a catalog came with a later version of the app (p0139, 2f3e5c7c, 2026-05-17)"
            self._refuse(value, "type", f"is {_what(node)}: it must be {kind.noun}{later}")
        else:
            return node
        return None

    def _read_record(self, value: Value, record: Record) -> Value:
        mapping = self._collection(value, record, Mapping)
        if mapping is None:
            return value
        value.data = {}
        entries = self._entries(mapping, value.path, in_record=True)
        # A file for both releases switches by both spellings, of which each release ignores one.
        spelt = [record.keys[name].newer for name, _key, _item in entries if name in record.keys]
        for name, key_node, item_node in entries:
            key = record.keys.get(name)
            path = join_path(value.path, name)
            if key is None:
                if name not in spelt:
                    self._ignored(record, name, path, key_node)
                self._scan_ignored(path, item_node)
                continue
            item = self._read(Value(path, item_node, key_node), key.kind)
            if item.is_null and key.null_counts_as is not None:
                item.data = key.null_counts_as
            value.data[name] = item
            if key.never_read:
                message = f"the app never reads it: {key.never_read}; remove it"
                self._findings.warning("ignored", path, message, key_node)
        return value

    def _read_map(self, value: Value, kind: MapOf) -> Value:
        mapping = self._collection(value, kind, Mapping)
        if mapping is not None:
            value.data = {}
            for name, key_node, item_node in self._entries(mapping, value.path, in_record=False):
                value.data[name] = self._read(Value(join_path(value.path, name), item_node, key_node), kind.item)
            if kind is SECRETS:
                for item in value.data.values():
                    self._check_secret(item)
        return value

    def _read_list(self, value: Value, kind: ListOf) -> Value:
        sequence = self._collection(value, kind, Sequence)
        if sequence is not None:
            value.data = [
                self._read(Value(f"{value.path}[{index}]", node), kind.item)
                for index, node in enumerate(sequence.items)
            ]
        return value

    def _read_scalar(self, value: Value, kind: Any, node: Node) -> Value:
        target = _TARGETS[type(kind)]
        if not isinstance(node, Scalar):
            return self._read_collection_as_scalar(value, kind, node, target)
        tag = None if node.tag is None else _tag_name(node.tag)
        if node.is_null and tag in (None, "str"):
            value.is_null = True
            value.data = _ZERO.get(type(kind))
            return value
        if holds_token(node.text):
            message = f"{_CLEAR_TEXT}, and have the provider replace it if this file was ever shared"
            self._findings.policy("secret_in_clear", value.path, message, node)
        if tag is None and target == "str":
            value.data = node.text
        elif node.tag is not None and tag not in scalars.TAGS:
            return self._refuse(value, "tag", _tag_message(node.tag))
        else:
            try:
                value.data = scalars.convert(node.text, target, tag)
            except ValueError:
                if PLACEHOLDER.search(node.text):
                    return self._refuse(value, "placeholder", placeholder_message(node.text))
                message = f"is {quote(node.text)}: it must be {kind.noun} (quotes do not matter)"
                return self._refuse(value, "type", message)
        return value

    def _read_collection_as_scalar(self, value: Value, kind: Any, node: Node, target: str) -> Value:
        tag = None if node.tag is None else _tag_name(node.tag)
        if isinstance(node, Mapping) and target != "str" and tag is None:
            value.data = _ZERO[type(kind)]
            shown = "false" if target == "bool" else "0"
            message = f"is a mapping, of which the app makes {shown}: it must be {kind.noun}"
            self._findings.warning("type", value.path, message, node)
            self._scan_ignored(value.path, node)
            return value
        if isinstance(node, Mapping) and target == "str" and tag == "map":
            value.data = "(Collection)"
            return value
        return self._refuse(value, "type", f"is {_what(node)}: it must be {kind.noun}")

    def _entries(self, mapping: Mapping, path: str, *, in_record: bool) -> list[tuple[str, Node, Node]]:
        """The entries of a mapping whose keys are usable, in order: of several equal keys the app takes the last."""
        first: dict[str, Node] = {}
        entries: list[tuple[str, Node, Node]] = []
        for key, item in mapping.entries:
            name = self._key(key, path, in_record=in_record)
            if name is None:
                continue
            if name in first:
                self._duplicate(path, name, key, first[name])
            first.setdefault(name, key)
            if name == "<<" and isinstance(key, Scalar) and key.plain:
                message = "is a YAML merge key, which the app does not know: what it brings is lost. Write the keys out"
                self._findings.policy("merge_key", join_path(path, name), message, key)
                if in_record:
                    self._scan_ignored(join_path(path, name), item)
                    continue
            entries.append((name, key, item))
        return entries

    def _key(self, key: Node, path: str, *, in_record: bool) -> str | None:
        """The text of a key; the app reads a key of fixed meaning as bare text, others as values of their own."""
        if isinstance(key, Scalar):
            if in_record or key.tag is None or _tag_name(key.tag) == "str":
                return key.text
            self._findings.error("tag", join_path(path, key.text), _tag_message(key.tag), key)
            return None
        if isinstance(key, Alias) and isinstance(key.target, Scalar) and not in_record:
            return key.target.text
        self._findings.error("key", path, f"has a key that is {_what(key)}: keys must be text", key)
        return None

    def _duplicate(self, path: str, name: str, key: Node, first: Node) -> None:
        seen = f" (first in line {first.origin.line})" if first.origin.line else ""
        message = f"stands twice{seen}: the app takes the last one and drops the other. Remove one"
        self._findings.policy("duplicate", join_path(path, name), message, key)

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
        """What the app ignores is stored in the ConfigMap nevertheless: no tokens."""
        pending = [node]
        while pending:
            node = pending.pop()
            if id(node) in self._scanned:
                continue
            self._scanned.add(id(node))
            if isinstance(node, Scalar) and holds_token(node.text):
                self._findings.policy("secret_in_clear", path, _CLEAR_TEXT, node)
            elif isinstance(node, Sequence):
                pending.extend(node.items)
            elif isinstance(node, Mapping):
                first: dict[str, Node] = {}
                for key, item in node.entries:
                    pending.extend((key, item))
                    if isinstance(key, Scalar) and first.setdefault(key.text, key) is not key:
                        message = "stands twice: the app ignores both, other programs refuse the file"
                        self._findings.warning("duplicate", join_path(path, key.text), message, key)

    def _check_secret(self, value: Value) -> None:
        if value.is_null:
            message = "has no value (null), and the app refuses the whole file: write `${NAME}`, or remove it"
            self._refuse(value, "null", message)
        elif value.usable and value.data and not PLACEHOLDER.fullmatch(value.data) and not holds_token(value.data):
            self._findings.policy(
                "secret_in_clear",
                value.path,
                "is clear text, and a ConfigMap is no place for a secret: nothing in the app reads it, so remove it or "
                "write `${NAME}`; the value belongs into the vault (secrets_*)",
                value.node,
            )


def _same_type(first: Any, second: Any) -> bool:
    """Whether two kinds are one class of the app."""
    return first is second or (isinstance(first, Record) and isinstance(second, Record) and first.name == second.name)


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


def _tag_name(tag: str) -> str:
    return tag.removeprefix("tag:yaml.org,2002:")


def _tag_message(tag: str) -> str:
    return f"has the YAML tag {quote(tag)}, which the app does not accept here: remove the tag"


def placeholder_message(text: str) -> str:
    return (
        f"holds the placeholder {quote(text)}: the app resolves `${{NAME}}` under `secrets` only and takes it "
        "literally here; write the value"
    )
