# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges single values by the table of keys: whether the app reads the key, and what it makes of the value."""

from typing import Any

from .finding import Findings, join_path, listing, nearest, quote, suggestion
from .reader import Value, placeholder_message
from .schema import (
    FAILS,
    FINE,
    LATER,
    PLACEHOLDER,
    Choice,
    Flag,
    Integer,
    Key,
    MapOf,
    Price,
    Real,
    Record,
    Text,
)
from .usage import NOBODY, Usage

_EMPTY_EFFECT = {FAILS: "the app fails on it", LATER: "the provider refuses the first request"}


def judge_record(value: Value, record: Record, usage: Usage, read: bool, findings: Findings) -> None:
    """Judge every key of a record.

    Args:
        value: the usable value.
        record: its table.
        usage: what of the project decides who reads a key.
        read: whether the app reads the record at all.
    """
    if not findings.is_new((id(value.data), usage, read)):
        return
    # Of a type that the app does not know, nobody can say what it reads.
    unknown_type = getattr(usage, record.name, True) == ""
    for name, key in record.keys.items():
        item = value.get(name)
        if unknown_type and key.read.mention:
            continue
        is_read = read and key.read.when(usage)
        if item is None:
            if key.required and is_read:
                missing(value, name, key, findings)
        elif item.usable and not key.never_read:
            if key.read.mention and read and not is_read and (not item.is_null or isinstance(key.kind, Record)):
                message = (
                    f"the app does not read it for the type {value.text('type')}, only for the {key.read.by}; remove it"
                )
                findings.warning("ignored_for_type", item.path, message, item.place)
            else:
                _judge(item, key, usage, is_read, findings)


def missing(value: Value, name: str, key: Key, findings: Findings) -> None:
    """Report a key that the app needs."""
    allowed = f", one of {listing(key.kind.values)}" if isinstance(key.kind, Choice) else ""
    message = f"is missing: {key.description} It is {key.kind.noun}{allowed}"
    findings.error(code_of(key), join_path(value.path, name), message, value.place)


def code_of(key: Key) -> str:
    """`missing`, or `model_name` for a model, of which the app takes the empty name."""
    return "model_name" if isinstance(key.kind, Text) and key.kind.null == LATER else "missing"


def _judge(item: Value, key: Key, usage: Usage, read: bool, findings: Findings) -> None:
    kind = key.kind
    if item.is_null:
        _judge_null(item, key, read, findings)
    elif isinstance(kind, Record):
        judge_record(item, kind, usage, read, findings)
    elif isinstance(kind, MapOf):
        for entry in item.data.values():
            if entry.usable and isinstance(kind.item, Record) and not entry.is_null:
                judge_record(entry, kind.item, usage, read, findings)
    elif isinstance(kind, Text):
        judge_text(item, kind, read, findings)
    elif isinstance(kind, Choice):
        _judge_choice(item, kind, read, findings)
    elif isinstance(kind, Integer | Real | Price) and (read or key.read is NOBODY):
        _judge_number(item, kind, read, findings)


def _judge_null(item: Value, key: Key, read: bool, findings: Findings) -> None:
    kind = key.kind
    if key.null_counts_as is not None:
        return
    if key.nullable:
        if key.required and read:
            missing_null(item, key, findings)
        return
    advice = f"give {kind.noun}" + ("" if key.required else ", or remove it")
    if isinstance(kind, Integer | Real | Price):
        message = f"has no value (null): the app takes 0, not its default; {advice}"
        if read and isinstance(kind, Integer) and kind.minimum is not None:
            findings.error("out_of_range", item.path, f"{message}. Here 0 fails: {kind.why}", item.node)
        else:
            findings.warning("null", item.path, message, item.node)
    elif isinstance(kind, Flag):
        message = f"has no value (null): the app takes false, not its default; {advice}"
        findings.warning("null", item.path, message, item.node)
    else:
        later = isinstance(kind, Text) and kind.null == LATER
        effect = _EMPTY_EFFECT[LATER] if later else "the app fails with a NullReferenceException when it uses it"
        code = "model_name" if later else "null"
        findings.fault(read, code, item.path, f"has no value (null): {effect}; {advice}", item.node)


def missing_null(item: Value, key: Key, findings: Findings) -> None:
    """A key that may be absent, but not where this type reads it."""
    message = f"is missing: {key.description} It is {key.kind.noun}"
    findings.error("missing", item.path, message, item.place)


def judge_text(item: Value, kind: Text, read: bool, findings: Findings) -> None:
    """An empty text, a blank one, and a placeholder, which the app takes literally."""
    text = item.data
    effect = FINE if text.strip() else kind.blank if text else kind.empty
    if effect != FINE:
        code = "model_name" if effect == LATER else "empty"
        findings.fault(read, code, item.path, f"is empty: {_EMPTY_EFFECT[effect]}; give {kind.noun}", item.node)
    elif kind.placeholder != FINE and PLACEHOLDER.search(text):
        findings.fault(read, "placeholder", item.path, placeholder_message(text), item.node)


def _judge_choice(item: Value, kind: Choice, read: bool, findings: Findings) -> None:
    text, folded = item.data, item.data.lower()
    if folded in (known.lower() for known in kind.values):
        return
    allowed = f"{quote(text)} is not known to the app; allowed, in any case: {listing(kind.values)}"
    if folded in kind.later:
        meant = nearest(text, kind.values)
        allowed += f": {kind.later[folded]}" + (f"; write {quote(meant)}" if meant else "")
    else:
        allowed += suggestion(text, kind.values)
    findings.fault(read, "unknown_type", item.path, allowed, item.node)


def _judge_number(item: Value, kind: Any, read: bool, findings: Findings) -> None:
    shown = quote(str(item.data))
    least = kind.minimum
    if least is not None and (item.data == 0 if kind.only_zero else item.data < least):
        why = f": {kind.why}" if kind.why else ""
        findings.fault(read, "out_of_range", item.path, f"is {shown}, and the least is {least}{why}", item.node)
    elif item.data < 0:
        message = f"is {shown}, a negative number: the app takes it, but it can only be a slip"
        findings.policy("negative", item.path, message, item.node)
