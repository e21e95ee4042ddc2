# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check has to say, and how it quotes the configuration without repeating secrets."""

import difflib
import functools
import itertools
import re
from collections.abc import Collection, Hashable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .document import Node, Origin

ERROR, POLICY, WARNING = "error", "policy", "warning"

POLICIES = {
    "coding_principles_path": "an error without it: a file that only an agent image of one's own has",
    "duplicate": "a key that stands twice in one mapping",
    "merge_key": "a YAML merge key, `<<`, which the app ignores",
    "negative": "a negative number",
    "secret_in_clear": "a secret in clear text, also a password in an address",
    "unencrypted": "an address with http, over which a token goes in clear text",
}
"""What the app works with, or can be made to work with, and the check refuses until `config_allow` names it."""

_LONGEST_QUOTE = 60
_MOST_CANDIDATES = 200
_PLAIN_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_URL_USER = re.compile(r"(?<=//)[^/@\s]*@")
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|xapp-|sk-ant-|sk-proj-|AIza|ATATT)[A-Za-z0-9_-]{16,}"
    r"|sk-[A-Za-z0-9]{32,})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, refused, or deserves a look.

    Attributes:
        severity: `error`, `policy` or `warning`.
        code: stable name of the rule.
        path: key path such as `projects.my-api.source.type`, empty for the document as such.
        message: what is wrong, what is allowed, what to do.
        file, line, column: where, as far as known; line and column count from 1.
    """

    severity: str
    code: str
    path: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return ": ".join(part for part in (where, self.path, self.message) if part)

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return asdict(self)


class Findings:
    """Collects findings; the same one twice counts once (an alias shows the same value again).

    Args:
        allow: the policies that are switched off; their findings are warnings.
    """

    def __init__(self, allow: Collection[str] = ()) -> None:
        self._found: dict[tuple[object, ...], Finding] = {}
        self._allow = allow
        self._judged: set[Hashable] = set()

    def is_new(self, what: Hashable) -> bool:
        """Whether this is asked for the first time: aliases show one value to thousands of projects."""
        if what in self._judged:
            return False
        self._judged.add(what)
        return True

    def error(self, code: str, path: str, message: str, at: Node | Origin) -> None:
        """Something the app fails on, or works on differently from what is written."""
        self._add(ERROR, code, path, message, at)

    def policy(self, code: str, path: str, message: str, at: Node | Origin) -> None:
        """Something the app works with, and that is refused until `config_allow` names the code."""
        if code in self._allow:
            self._add(WARNING, code, path, message, at)
        else:
            self._add(POLICY, code, path, f"{message}. To allow it, add {code} to config_allow", at)

    def error_unless_allowed(self, code: str, path: str, message: str, at: Node | Origin) -> None:
        """Something the app fails on, unless the deployment provides for it, which the check cannot see."""
        if code in self._allow:
            self._add(WARNING, code, path, message, at)
        else:
            self._add(ERROR, code, path, message, at)

    def warning(self, code: str, path: str, message: str, at: Node | Origin) -> None:
        """Something that works, but differently than one may think."""
        self._add(WARNING, code, path, message, at)

    def fault(self, read: bool, code: str, path: str, message: str, at: Node | Origin) -> None:
        """An error under a key that the app reads, a warning under one that it does not."""
        if read:
            self._add(ERROR, code, path, message, at)
        else:
            self._add(WARNING, code, path, f"{message} (the app does not read this key here)", at)

    def _add(self, severity: str, code: str, path: str, message: str, at: Node | Origin) -> None:
        origin = at.origin if isinstance(at, Node) else at
        # An aliased value is found again under other paths: one finding for each place of the text will do.
        place = (origin.file, origin.line, origin.column) if origin.line is not None else path
        self._found.setdefault((severity, code, message, place), Finding(severity, code, path, message, *origin))

    def in_order(self) -> list[Finding]:
        """In the order of the file and its lines; without lines, in the order of discovery."""
        return sorted(self._found.values(), key=lambda finding: (finding.file or "", finding.line or 0))


def join_path(path: str, key: str) -> str:
    """Append a key; one with dots, spaces or the like is put into brackets."""
    if not _PLAIN_PART.fullmatch(key) or holds_token(key):
        return f"{path}[{quote(key)}]"
    return f"{path}.{key}" if path else key


def holds_token(text: str) -> bool:
    """Whether the text holds what looks like an access token of a provider or of Slack."""
    return _TOKEN.search(text) is not None


def without_secrets(text: str) -> str:
    """The start of a text, without tokens and without what stands before the host of an address."""
    return _TOKEN.sub("***", _URL_USER.sub("***@", text[:4096]))


def quote(text: str, longest: int = _LONGEST_QUOTE) -> str:
    """A value for a message: without what looks secret, without line ends and control characters, not too long."""
    shown = without_secrets(text)
    if len(shown) > longest:
        shown = shown[:longest] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown) + '"'


def listing(words: Iterable[str]) -> str:
    """`a, b, c`."""
    return ", ".join(words)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: the same but for case and separators, or a near spelling."""
    # Among hundreds of names the search takes long, and its result says little.
    return _nearest(word[:_LONGEST_QUOTE], tuple(itertools.islice(known, _MOST_CANDIDATES)))


@functools.lru_cache(maxsize=256)
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    folded = {_fold(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing."""
    found = nearest(word, known)
    return f"; did you mean {quote(found)}?" if found else ""
