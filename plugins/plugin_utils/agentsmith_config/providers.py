# SPDX-License-Identifier: GPL-3.0-or-later
"""What each provider of sources and tickets needs beside its type.

Follows the app's factories and providers (`src/AgentSmith.Infrastructure` at 79b52441): each rule says what they do
with the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from .finding import Findings, join_path, listing, quote
from .reader import Value
from .schema import SECRET_KEYS, SOURCE, SOURCE_PROVIDERS, TICKETS, TICKETS_PROVIDERS, Provider, Record

_AZURE_SHAPE = "https://dev.azure.com/{organization}/{project}/_git/{repository}"
_GITHUB_SHAPE = "https://github.com/{owner}/{repository}"
_GITLAB_SHAPE = "https://gitlab.com/{group}/{project}"
_JIRA_SHAPE = "https://{site}.atlassian.net"


def check_source(source: Value, findings: Findings) -> None:
    """The rules for `source` of a project."""
    _check(source, SOURCE, SOURCE_PROVIDERS, _SOURCE_RULES, findings)


def check_tickets(tickets: Value, findings: Findings) -> None:
    """The rules for `tickets` of a project."""
    _check(tickets, TICKETS, TICKETS_PROVIDERS, _TICKETS_RULES, findings)


def _check(
    value: Value,
    record: Record,
    providers: dict[str, Provider],
    rules: dict[str, Callable[[Value, Findings], None]],
    findings: Findings,
) -> None:
    name = value.text("type").lower()
    provider = providers.get(name)
    if provider is None:
        return
    shown = value.text("type")
    for key in provider.required:
        item = value.get(key)
        if item is None or (item.usable and item.data is None):
            place = item.place if item else value.place
            path, variable = join_path(value.path, key), provider.variables.get(key)
            if variable:
                message = (
                    f"is missing: the app then reads {variable}, which dispatcher_extra_env has to give the "
                    "Dispatcher, one value for all projects; the spawned Jobs do not get it"
                )
                findings.warning("missing_variable", path, message, place)
            else:
                message = f"is missing: the type {shown} cannot work without it. {record.keys[key].description}"
                findings.error("missing", path, message, place)
    for key, item in value.data.items():
        if key not in ("type", "auth", *provider.required) and item.data is not None:
            message = f"the app does not read it for the type {shown}; it reads {listing(provider.required)}"
            findings.warning("ignored_for_type", item.path, message, item.place)
    rules[name](value, findings)
    unseen = [key for key in provider.secrets if not SECRET_KEYS[key].reaches_jobs]
    if unseen:
        message = (
            f"`fix` cannot run with {record.name} of the type {shown}: at this version of the app the spawned Jobs do "
            f"not get {listing(unseen)} of the Secret (they do from v0.48.0, b5dda921)"
        )
        findings.warning("jobs_lack_secret", join_path(value.path, "type"), message, value.data["type"].node)


@dataclass(frozen=True)
class _Address:
    """A parsed URL: host in lower case without user and port, parts of the path that are not empty."""

    scheme: str
    host: str
    parts: list[str]
    split: SplitResult


def _address(value: Value, key: str, shape: str, findings: Findings) -> _Address | None:
    """The URL under a key, None when it is absent or a finding says what is wrong with it."""
    item = value.get(key)
    if item is None or not isinstance(item.data, str):
        return None
    text = item.data
    try:
        split = urlsplit(text)
        host = (split.hostname or "").lower()
        user = split.username is not None
        _ = split.port
    except ValueError:
        split, host, user = urlsplit(""), "", False
    if re.search(r"\s", text) or split.scheme.lower() not in ("http", "https") or not host:
        findings.error("url", item.path, f"is {quote(text)}: it must be a URL such as {shape}", item.node)
        return None
    if user:
        message = f"is {quote(text)}, with a user before the host: write {shape}; the app logs in with its token"
        findings.error("url_user", item.path, message, item.node)
        return None
    if split.query or split.fragment:
        message = f"is {quote(text)}: leave out everything from `?` or `#` on; the shape is {shape}"
        findings.error("url", item.path, message, item.node)
        return None
    return _Address(split.scheme.lower(), host, [part for part in split.path.split("/") if part], split)


def _wrong_shape(value: Value, key: str, shape: str, why: str, findings: Findings) -> None:
    item = value.data[key]
    findings.error("url", item.path, f"is {quote(item.data)}: {why}; the shape is {shape}", item.node)


def _source_github(source: Value, findings: Findings) -> None:
    # Clones `{url}.git`, or the url as it is when it ends in .git; finds owner and repository for the pull request in
    # the url after removing EVERY `.git` from it, so that octo.github.io becomes octohub.io.
    address = _address(source, "url", _GITHUB_SHAPE, findings)
    if address is None:
        return
    if address.scheme != "https" or len(address.parts) != 2 or address.split.path.endswith("/"):
        why = "the app clones exactly this address over https, with `.git` appended"
        _wrong_shape(source, "url", _GITHUB_SHAPE, why, findings)
    elif ".git" in address.parts[0] or ".git" in address.parts[1].removesuffix(".git"):
        why = "the app removes every `.git`, also inside a name, and would open the pull request elsewhere"
        _wrong_shape(source, "url", _GITHUB_SHAPE, why, findings)
    _check_github_host(source, address, findings)


def _tickets_github(tickets: Value, findings: Findings) -> None:
    # Takes the first two parts of the path as they are.
    address = _address(tickets, "url", _GITHUB_SHAPE, findings)
    if address is None:
        return
    if len(address.parts) < 2:
        _wrong_shape(tickets, "url", _GITHUB_SHAPE, "owner or repository is missing", findings)
    elif address.parts[1].endswith(".git"):
        why = "for tickets the app takes `.git` as part of the repository's name and finds no issues"
        _wrong_shape(tickets, "url", _GITHUB_SHAPE, why, findings)
    _check_github_host(tickets, address, findings)


def _check_github_host(value: Value, address: _Address, findings: Findings) -> None:
    if address.host not in ("github.com", "www.github.com"):
        item = value.data["url"]
        message = f"the host {quote(address.host)} is not asked: the app always talks to the API of github.com"
        findings.warning("host_ignored", item.path, message, item.node)


def _source_gitlab(source: Value, findings: Findings) -> None:
    # Only the path is used, after removing every `.git`; the host comes from GITLAB_URL.
    address = _address(source, "url", _GITLAB_SHAPE, findings)
    if address is None:
        return
    if len(address.parts) < 2:
        _wrong_shape(source, "url", _GITLAB_SHAPE, "group or project is missing", findings)
    elif ".git" in address.split.path.removesuffix(".git"):
        why = "the app removes every `.git` from the address, also inside a name"
        _wrong_shape(source, "url", _GITLAB_SHAPE, why, findings)
    if address.host != "gitlab.com":
        item = source.data["url"]
        message = (
            f"the host {quote(address.host)} is not read: the app takes the variable GITLAB_URL, or https://gitlab.com"
        )
        findings.warning("host_ignored", item.path, message, item.node)


def _source_azurerepos(source: Value, findings: Findings) -> None:
    # Wants `_git` as the third part of the path and removes every `.git` first.
    address = _address(source, "url", _AZURE_SHAPE, findings)
    if address is None:
        return
    parts = address.parts
    if address.scheme != "https" or address.host != "dev.azure.com" or len(parts) != 4 or parts[2] != "_git":
        _wrong_shape(source, "url", _AZURE_SHAPE, "the app takes the address apart by position", findings)
    elif ".git" in source.data["url"].data:
        _wrong_shape(source, "url", _AZURE_SHAPE, "the app removes every `.git` from the address", findings)


def _source_local(source: Value, findings: Findings) -> None:
    item = source.data["type"]
    message = (
        "a local path is useless in a Kubernetes Job: its container sees no directory of yours and nothing it writes "
        "survives; use GitHub or AzureRepos"
    )
    findings.warning("local_source", item.path, message, item.node)


def _tickets_azuredevops(tickets: Value, findings: Findings) -> None:
    # The address is https://dev.azure.com/{organization}.
    for key, example in (("organization", "my-organization"), ("project", "my-project")):
        item = tickets.get(key)
        if item is not None and isinstance(item.data, str) and re.search(r"[/\\:?#@]", item.data):
            message = (
                f"is {quote(item.data)}: it must be the name alone, such as {example}, no address "
                "(the host is always dev.azure.com)"
            )
            findings.error("name", item.path, message, item.node)


def _tickets_jira(tickets: Value, findings: Findings) -> None:
    # Appends /rest/api/3/issue/{number}; sends mail and token with every request.
    address = _address(tickets, "url", _JIRA_SHAPE, findings)
    if address is not None and address.scheme != "https":
        why = "mail address and token would go over the wire in clear text"
        _wrong_shape(tickets, "url", _JIRA_SHAPE, why, findings)
    item = tickets.data["type"]
    message = (
        "chat takes numbers only: a Jira key such as ABC-54 cannot be typed, `#54` is looked up as Jira's internal id"
    )
    findings.warning("jira_keys", item.path, message, item.node)


def _tickets_gitlab(tickets: Value, findings: Findings) -> None:
    # Escapes the whole text as one part of the API's address.
    item = tickets.get("project")
    if item is None or not isinstance(item.data, str):
        return
    text = item.data
    if "://" in text or not re.fullmatch(r"[0-9]+|[^/\s]+(/[^/\s]+)+", text) or text.endswith(".git"):
        message = f"is {quote(text)}: it must be the path of the project, such as group/project, or its number; no URL"
        findings.error("name", item.path, message, item.node)


_SOURCE_RULES: dict[str, Callable[[Value, Findings], None]] = {
    "github": _source_github,
    "gitlab": _source_gitlab,
    "azurerepos": _source_azurerepos,
    "local": _source_local,
}
_TICKETS_RULES: dict[str, Callable[[Value, Findings], None]] = {
    "github": _tickets_github,
    "gitlab": _tickets_gitlab,
    "azuredevops": _tickets_azuredevops,
    "jira": _tickets_jira,
}
