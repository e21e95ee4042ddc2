# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a credential, though no Secret that was read has it: the second net, behind the masking by value.

Forms of tokens as their makers publish them, and the places in which protocols and people write passwords.
"""

import re
from collections.abc import Mapping
from typing import Any

from .redaction import MASK

_NAME = "[Pp]assword|PASSWORD|[Ss]ecret|SECRET|[Tt]oken|TOKEN|[Aa]pi[-_]?[Kk]ey|API_?KEY"
# What is masked already is no credential
_VALUE = r"(?!\*{8})[^\s,;&\"'\\]{4,}"

# The name of each for the user, and what it looks like. Only a group `value` is masked, if there is one.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(expression)
    for name, expression in {
        "Slack token": r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{10,}",
        "GitHub token": r"\b(?:gh[oprsu]_|github_pat_)[A-Za-z0-9_]{16,}",
        "GitLab token": r"\bglpat-[A-Za-z0-9_-]{16,}",
        "key of an LLM": r"\bsk-[A-Za-z0-9_-]{16,}|\bAIza[A-Za-z0-9_-]{30,}",
        "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.{0,8000}?-----END [A-Z ]*PRIVATE KEY-----|.{0,8000})",
        "password in a URL": r"://[^/\s:@\"']*:(?P<value>(?!\*{8})[^/\s@\"']+)@",
        "header of authentication": r"\b(?:[Bb]earer|[Bb]asic) (?P<value>(?!\*{8})[A-Za-z0-9._~+/=-]{8,})",
        "assignment": rf"(?:{_NAME})=(?P<value>{_VALUE})",
    }.items()
}
# Of a variable of the environment whose value an object states
_SECRET_NAME = re.compile(r"(?:password|passwd|secret|token|api_?key|private_?key|credentials?)$", re.IGNORECASE)


def mask_credentials(text: str) -> tuple[str, int]:
    """Return *text* without what looks like a credential, and how many were masked."""
    count = 0
    for pattern in PATTERNS.values():
        text, masked = pattern.subn(_masked, text)
        count += masked
    return text, count


def mask_variables(value: Any) -> Any:
    """Return an object of Kubernetes without the values of variables whose name says that they are secret."""
    if isinstance(value, list):
        return [mask_variables(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    name, stated = value.get("name"), value.get("value")
    if isinstance(name, str) and isinstance(stated, str) and stated and _SECRET_NAME.search(name):
        return {**value, "value": MASK}
    return {key: mask_variables(entry) for key, entry in value.items()}


def _masked(match: re.Match[str]) -> str:
    whole = match[0]
    if "value" not in match.re.groupindex:
        return MASK
    start, end = (place - match.start() for place in match.span("value"))
    return whole[:start] + MASK + whole[end:]
