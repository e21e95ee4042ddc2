# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files, read and merged as kubectl does (client-go, package clientcmd).

No message repeats what stands in a file beside names: a token may stand in any place of a broken one.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from ..objects.errors import ConnectionFailed

Entries = dict[str, dict[str, Any]]

# The fields of an entry that are used, with their types. Kubectl refuses another type, too.
_TYPES: dict[str, dict[str, type]] = {
    "cluster": {
        "server": str,
        "tls-server-name": str,
        "insecure-skip-tls-verify": bool,
        "certificate-authority": str,
        "certificate-authority-data": str,
        "proxy-url": str,
    },
    "user": {
        "client-certificate": str,
        "client-certificate-data": str,
        "client-key": str,
        "client-key-data": str,
        "token": str,
        "tokenFile": str,
        "username": str,
        "password": str,
        "as": str,
        "as-uid": str,
        "as-groups": list,
        "as-user-extra": dict,
        "auth-provider": dict,
        "exec": dict,
    },
    "context": {"cluster": str, "user": str},
}
# Relative to the directory of the kubeconfig in which they stand
_FILES = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
    "context": (),
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KubeconfigFault(ConnectionFailed):
    """A kubeconfig cannot be used."""


@dataclass
class Kubeconfig:
    """What the files say together: of each name and of current-context the first one counts.

    ``shown`` names the files in messages, ``asked`` what was to be used of them. ``exists``: whether any file is there.
    """

    shown: str
    asked: str
    exists: bool = True
    current: str = ""
    contexts: Entries = field(default_factory=dict)
    clusters: Entries = field(default_factory=dict)
    users: Entries = field(default_factory=dict)

    @classmethod
    def load(cls, named: Any, asked: str = "") -> Self:
        """Read the files.

        :param named: path, several with the system's separator, or the content; None for $KUBECONFIG or the default.
        :param asked: the context that is to be used; the current one without it.
        :raises KubeconfigFault: when a file is there and cannot be read, or is no kubeconfig.
        """
        words = f"context {asked}" if asked else "its current context"
        if isinstance(named, Mapping):
            loaded = cls("given as a dictionary", words)
            loaded._merge(dict(named), loaded.shown, Path.cwd())
            return loaded
        from_environment = os.environ.get("KUBECONFIG", "")
        listed = str(named or from_environment or "~/.kube/config").split(os.pathsep)
        paths = list(dict.fromkeys(_path(part) for part in listed if part))
        loaded = cls(os.pathsep.join(map(str, paths)), words, exists=False)
        if not named and not from_environment:
            loaded.shown += " (the default, because you named none)"
        for path in paths:
            content = loaded._read(path)
            if content is not None:
                loaded.exists = True
                loaded._merge(content, str(path), path.absolute().parent)
        return loaded

    def fault(self, reason: str) -> KubeconfigFault:
        """Return the error for a kubeconfig that cannot be used."""
        return KubeconfigFault(f"The kubeconfig {self.shown} cannot be used ({self.asked}): {reason}")

    def missing(self) -> KubeconfigFault:
        """Return the error for a kubeconfig that does not exist."""
        return KubeconfigFault(
            f"The kubeconfig {self.shown} does not exist; {self.asked} was to be used. Set agentsmith_kubeconfig "
            "(option kubeconfig, environment variable K8S_AUTH_KUBECONFIG) to a file on the control node."
        )

    def choose(self, context: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return the name of a context, its cluster and its user.

        :param context: its name; empty for the current one.
        :raises KubeconfigFault: when there is no such context, or it names a cluster or user that is not there.
        """
        name = context or self.current
        known = f"it has: {', '.join(self.contexts) or 'none'}"
        advice = "Set agentsmith_context (option context, environment variable K8S_AUTH_CONTEXT) to one of them."
        if not name:
            raise self.fault(f"it has no current-context, and you named no context; {known}. {advice}")
        if name not in self.contexts:
            raise KubeconfigFault(f"The kubeconfig {self.shown} has no context {name}; {known}. {advice}")
        entry = self.contexts[name]
        return (
            name,
            self._part(name, "cluster", entry.get("cluster"), self.clusters),
            self._part(name, "user", entry.get("user"), self.users),
        )

    def _part(self, context: str, kind: str, name: str | None, entries: Entries) -> dict[str, Any]:
        if not name:
            raise self.fault(f"context {context} names no {kind}")
        if name not in entries:
            raise self.fault(f"context {context} names the {kind} {name}, and there is none; {kind}s: {_list(entries)}")
        return entries[name]

    def _read(self, path: Path) -> dict[str, Any] | None:
        """Return the content of a file; None when there is no file."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise self.fault(f"{path} cannot be read: {reason}") from None
        try:
            content = yaml.load(text, _LOADER)  # noqa: S506  it is one of the safe loaders
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1})" if mark else ""
            raise self.fault(f"{path} is no YAML{where}") from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise self.fault(f"{path} is no kubeconfig: it holds no mapping")
        return content

    def _merge(self, content: dict[str, Any], file: str, directory: Path) -> None:
        if content.get("kind") not in (None, "", "Config") or content.get("apiVersion") not in (None, "", "v1"):
            raise self.fault(f"{file} is no kubeconfig: apiVersion and kind are not v1 and Config")
        current = content.get("current-context")
        if not isinstance(current, str | None):
            raise self.fault(f"{file}: current-context is no text")
        self.current = self.current or current or ""
        for kind, entries in (("context", self.contexts), ("cluster", self.clusters), ("user", self.users)):
            for name, entry in self._entries(content.get(f"{kind}s"), kind, file):
                for key in _FILES[kind]:
                    if entry.get(key):
                        entry[key] = str(directory / entry[key])
                command = (entry.get("exec") or {}).get("command") if kind == "user" else None
                if isinstance(command, str) and os.sep in command:
                    entry["exec"] = {**entry["exec"], "command": str(directory / command)}
                entries.setdefault(name, entry)

    def _entries(self, listed: Any, kind: str, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if not isinstance(listed, list | None):
            raise self.fault(f"{file}: {kind}s is no list")
        seen: set[str] = set()
        for number, item in enumerate(listed or [], 1):
            name = item.get("name") if isinstance(item, dict) else None
            entry = item.get(kind) if isinstance(item, dict) else None
            if not isinstance(name, str | None) or not isinstance(item, dict) or not isinstance(entry, dict | None):
                raise self.fault(f"{file}: entry {number} of {kind}s is none with a name and a {kind}")
            if (name or "") in seen:
                raise self.fault(f"{file}: two {kind}s have the name {name}")
            seen.add(name or "")
            for key, expected in _TYPES[kind].items():
                if not isinstance((entry or {}).get(key), expected | None):
                    raise self.fault(f"{file}: {key} of the {kind} {name} is not of the type {_type_name(expected)}")
            yield name or "", dict(entry or {})


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~name, and nobody has the name
        return Path(text)


def _list(entries: Entries) -> str:
    return ", ".join(entries) or "none"


def _type_name(expected: type) -> str:
    return {str: "text", bool: "boolean", list: "list", dict: "mapping"}[expected]
