# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and names of sources and tickets: which repository the app clones, and which addresses it asks.

A fault is an error when the app fails on the address, or works on another one than is written; the finding names the
address that it would ask. Where an address comes from, class by class, is in docs/reference/config-check.md.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from .addresses import (
    GITLAB,
    TICKET,
    NoAddress,
    azure_repository,
    github_parts,
    github_repository,
    github_tickets,
    gitlab_project,
    gitlab_repository,
    gitlab_tickets,
    jira_tickets,
)
from .dotnet_uri import NoUri, Uri, parse
from .finding import Findings, join_path, listing, quote
from .reader import Value
from .schema import PLACEHOLDER, SECRET_KEYS, SOURCE, SOURCE_PROVIDERS, TICKETS, TICKETS_PROVIDERS, Provider, Record
from .values import missing

_AZURE_SHAPE = "https://dev.azure.com/{organization}/{project}/_git/{repository}"
_GITHUB_SHAPE = "https://github.com/{owner}/{repository}"
_GITLAB_SHAPE = "https://gitlab.com/{group}/{project}"
_JIRA_SHAPE = "https://{site}.atlassian.net"
_GITHUB_HOSTS = ("github.com", "www.github.com", "github.com.")
_GITHUB_NAME = re.compile(r"[A-Za-z0-9._-]+")
_GITLAB_PAGES = frozenset(
    ("-", "badges", "blame", "blob", "builds", "commits", "issues", "merge_requests", "raw", "refs", "tree", "wikis")
)
_JIRA_PAGES = frozenset(("browse", "projects", "issues", "rest", "secure", "plugins"))
_BRACKETS = re.compile(r"[{}<>]|%(?:7[BD]|3[CE])")
"""What marks a placeholder, and is in no name: escaped in a path."""
_JIRA_CLOUD = ".atlassian.net"
_LONGEST_ADDRESS = 300
_Asked = TypeVar("_Asked")
_SEEN = "the app then stops with"


def check_source(source: Value, read: bool, findings: Findings) -> None:
    """The rules for `source` of a project."""
    _check(source, SOURCE, SOURCE_PROVIDERS, _SOURCE_RULES, read, findings)


def check_tickets(tickets: Value, read: bool, findings: Findings) -> None:
    """The rules for `tickets` of a project."""
    _check(tickets, TICKETS, TICKETS_PROVIDERS, _TICKETS_RULES, read, findings)


def _check(
    value: Value,
    record: Record,
    providers: dict[str, Provider],
    rules: dict[str, Callable[[Value, bool, Findings], None]],
    read: bool,
    findings: Findings,
) -> None:
    shown = value.text("type")
    provider = providers.get(shown.lower())
    if provider is None:
        return
    rules[shown.lower()](value, read, findings)
    unseen = [key for key in provider.secrets if not SECRET_KEYS[key].reaches_jobs]
    if unseen:
        message = (
            f"`fix` cannot run with {record.name} of the type {shown}: at this version of the app the spawned Jobs do "
            f"not get {listing(unseen)} of the Secret (they do from v0.48.0, b5dda921)"
        )
        findings.warning("jobs_lack_secret", join_path(value.path, "type"), message, value.data["type"].node)


class _Address:
    """The address under a key, and the ways to report it."""

    def __init__(self, item: Value, shape: str, read: bool, findings: Findings) -> None:
        self.item, self.shape, self._read, self._findings = item, shape, read, findings
        self.text: str = item.data

    def ask(self, find: Callable[[str], _Asked]) -> _Asked | None:
        """What the app asks; None if a finding says why it fails before that."""
        try:
            found = find(self.text)
        except (NoAddress, NoUri) as error:
            self.invalid(f"{_SEEN} {error}")
            return None
        if (written := _parsed(self.text)) is not None and written.has_password:
            message = (
                f"is {quote(self.text)}, with a password in it: write {self.shape}; the app logs in with its token"
            )
            self._findings.policy("secret_in_clear", self.item.path, message, self.item.node)
        return found

    def invalid(self, why: str) -> None:
        """The app fails."""
        self._fault("url", f"is {quote(self.text)}: {why}; write {self.shape}")

    def elsewhere(self, why: str) -> None:
        """The app asks another address."""
        self._fault("wrong_address", f"is {quote(self.text)}: {why}; write {self.shape}")

    def unencrypted(self, what: str) -> None:
        """A token would go over http."""
        if self._read:
            message = f"is {quote(self.text)}: over http {what} would be readable on the way; write {self.shape}"
            self._findings.policy("unencrypted", self.item.path, message, self.item.node)

    def warning(self, code: str, message: str) -> None:
        """A word about an address that works."""
        if self._read:
            self._findings.warning(code, self.item.path, message, self.item.node)

    def _fault(self, code: str, message: str) -> None:
        self._findings.fault(self._read, code, self.item.path, message, self.item.node)


def _parsed(text: str) -> Uri | None:
    """The parts of what is written; the app may take another text apart, of which it has removed every `.git`."""
    try:
        return parse(text)
    except NoUri:
        return None


def _cuts_a_name(text: str) -> bool:
    """Whether `.git` stands elsewhere than at the end of the path."""
    path = re.split("[?#]", text.partition("://")[2].partition("/")[2])[0]
    return ".git" in path.rstrip("/").removesuffix(".git")


def _shown(address: str) -> str:
    return quote(address, _LONGEST_ADDRESS)[1:-1]


def _address(value: Value, key: str, shape: str, read: bool, findings: Findings) -> _Address | None:
    item = value.get(key)
    # A placeholder has a finding of its own.
    if item is None or not isinstance(item.data, str) or PLACEHOLDER.search(item.data):
        return None
    return _Address(item, shape, read, findings)


def _source_github(source: Value, read: bool, findings: Findings) -> None:
    address = _address(source, "url", _GITHUB_SHAPE, read, findings)
    if address is None or (repository := address.ask(github_repository)) is None:
        return
    if repository.pull_requests is None:
        address.invalid("owner or repository is empty, and the app fails when it opens the pull request")
        return
    text, written = address.text, _parsed(address.text)
    owner, name = github_parts(parse(text.replace(".git", "")))
    asked = f"the app clones {_shown(repository.clone)} and opens the pull request at {repository.pull_requests}"
    if written is None:
        address.elsewhere(f"{asked}, and there is no such host")
    elif written.host not in _GITHUB_HOSTS or written.port is not None:
        address.elsewhere(f"{asked}; it always asks github.com, and sends its token to {quote(written.host)} as well")
    elif written.path not in (f"/{owner}/{name}", f"/{owner}/{name}.git") or re.search(r"\s", text):
        address.elsewhere(asked)
    elif not _GITHUB_NAME.fullmatch(owner) or not _GITHUB_NAME.fullmatch(name):
        address.elsewhere(f"{asked}, and GitHub has no such name")
    elif written.scheme == "http":
        address.unencrypted("the token")
    elif written.scheme == "ssh":
        address.warning(
            "ssh",
            f"{quote(text)}: the app has a token and no key; whether it can clone over ssh was only read, not seen",
        )
    elif written.scheme != "https":
        address.elsewhere(f"{asked}, which takes no token")
    elif written.query or written.fragment:
        address.warning("query_ignored", f"{asked}; its Git library drops what follows `?` or `#`, as was only read")


def _tickets_github(tickets: Value, read: bool, findings: Findings) -> None:
    item = tickets.get("url")
    if item is None or item.is_null:
        missing(tickets, "url", TICKETS.keys["url"], findings)
    address = _address(tickets, "url", _GITHUB_SHAPE, read, findings)
    if address is None or (asks := address.ask(github_tickets)) is None:
        return
    uri = parse(address.text)
    owner, name = github_parts(uri)
    asked = f"the app asks {_shown(asks)}"
    if uri.host not in _GITHUB_HOSTS or uri.port is not None:
        address.elsewhere(f"{asked}, whatever the host")
    elif not _GITHUB_NAME.fullmatch(owner) or not _GITHUB_NAME.fullmatch(name):
        address.elsewhere(f"{asked}, and GitHub has no such name")
    elif name.endswith(".git"):
        address.elsewhere(f"{asked}: for tickets `.git` is a part of the name, and there are no issues")


def _source_gitlab(source: Value, read: bool, findings: Findings) -> None:
    # Reads the path alone; the host comes from GITLAB_URL.
    address = _address(source, "url", _GITLAB_SHAPE, read, findings)
    if address is None or (repository := address.ask(gitlab_repository)) is None:
        return
    uri = parse(address.text.replace(".git", ""))
    project = gitlab_project(address.text)
    asked = f"the app asks {_shown(repository.pull_requests or '')} and clones {_shown(repository.clone)}"
    parts = project.split("/")
    if len(parts) < 2 or not all(parts) or _GITLAB_PAGES & set(parts[2:]):
        address.elsewhere(asked)
    elif _cuts_a_name(address.text):
        address.elsewhere(f"{asked}: it removes every `.git`, also inside a name")
    elif _BRACKETS.search(project):
        address.elsewhere(f"{asked}, and GitLab has no such name")
    elif "%" in project:
        address.warning("escaped_twice", f"{asked}: the name is escaped twice, and GitLab may not find it")
    if uri.host.rstrip(".") != "gitlab.com" and not (address.text.startswith("/")):
        address.warning(
            "host_ignored",
            f"the host {quote(uri.host)} is not read: the app takes dispatcher_gitlab_url (GITLAB_URL), or {GITLAB}",
        )


def _source_azurerepos(source: Value, read: bool, findings: Findings) -> None:
    address = _address(source, "url", _AZURE_SHAPE, read, findings)
    if address is None or (repository := address.ask(azure_repository)) is None:
        return
    uri = parse(address.text.replace(".git", ""))
    asked = f"the app clones {_shown(repository.clone)} and asks {_shown(repository.pull_requests or '')}"
    if repository.pull_requests is None:
        address.invalid(f"{_SEEN} `The '{uri.scheme}' scheme is not supported.`")
    elif uri.port is not None:
        address.elsewhere(f"the port is lost: {asked}")
    elif (written := _parsed(address.text)) is None or written.host != uri.host or _cuts_a_name(address.text):
        address.elsewhere(f"{asked}: it removes every `.git`, also inside a name")
    elif _BRACKETS.search(uri.path):
        address.elsewhere(f"{asked}, and Azure DevOps has no such name")
    elif uri.scheme == "http":
        address.unencrypted("the token")
    elif "%" in uri.path:
        address.warning("escaped_twice", f"{asked}: the names are escaped twice, and Azure DevOps may not find them")


def _source_local(source: Value, read: bool, findings: Findings) -> None:  # noqa: ARG001 - the form of all rules
    item = source.data["type"]
    message = (
        "a local path is useless in a Kubernetes Job: its container sees no directory of yours and nothing it writes "
        "survives; use GitHub or AzureRepos"
    )
    findings.warning("local_source", item.path, message, item.node)


def _tickets_azuredevops(tickets: Value, read: bool, findings: Findings) -> None:
    organization, project = tickets.text("organization"), tickets.text("project")
    item = tickets.get("organization")
    if (item is None or item.usable) and not PLACEHOLDER.search(organization):
        try:
            asked = parse(f"https://dev.azure.com/{organization}")
            one_name = re.fullmatch("/[^/]+", asked.path) and not _BRACKETS.search(asked.path)
            why = "" if one_name and not asked.query + asked.fragment else f"the app asks {_shown(str(asked))}"
        except NoUri as error:
            why = f"{_SEEN} {error}"
        if why:
            shown = quote(organization) if organization else "missing"
            message = f"is {shown}: {why}; write the name of the organization alone, such as my-organization"
            path = join_path(tickets.path, "organization")
            findings.fault(read, "wrong_address", path, message, item.node if item else tickets.place)
    item = tickets.get("project")
    if (
        (item is None or item.usable)
        and not PLACEHOLDER.search(project)
        and (not project.strip() or re.search(r"[/\\:?#@<>{}]", project))
    ):
        shown = quote(project) if project else "missing"
        message = (
            f"is {shown}: the app asks for a project of exactly this name, and what Azure DevOps answers was not seen; "
            "write the name alone, such as my-project"
        )
        findings.warning("name", join_path(tickets.path, "project"), message, item.node if item else tickets.place)


def _tickets_jira(tickets: Value, read: bool, findings: Findings) -> None:
    # Appends /rest/api/3/issue/{number} and sends mail address and token with every request.
    item = tickets.data["type"]
    message = (
        "chat takes numbers only: a Jira key such as ABC-54 cannot be typed, `#54` is looked up as Jira's internal id"
    )
    findings.warning("jira_keys", item.path, message, item.node)
    address = _address(tickets, "url", _JIRA_SHAPE, read, findings)
    if address is None:
        return
    if (asks := address.ask(jira_tickets)) is None:
        return
    uri, base = parse(asks), address.text
    parts = [part for part in uri.path.removesuffix(f"/rest/api/3/issue/{TICKET}").split("/") if part]
    if "?" in base or "#" in base:
        address.invalid(f"the app appends the path of its API to it, asks {_shown(asks)}, and gets no ticket")
    elif (
        _BRACKETS.search(uri.path)
        or _JIRA_PAGES & set(parts)
        or ("jira" in parts and (parts[-1] != "jira" or uri.host.endswith(_JIRA_CLOUD)))
    ):
        # On a server of one's own, `jira` is the usual start of all paths.
        address.elsewhere(f"the app asks {_shown(asks)}")
    elif uri.scheme == "http":
        address.unencrypted("mail address and token")


def _tickets_gitlab(tickets: Value, read: bool, findings: Findings) -> None:
    address = _address(
        tickets, "project", "the path of the project, such as group/project, or its number", read, findings
    )
    if address is None or (asks := address.ask(gitlab_tickets)) is None:
        return
    text = address.text
    if "://" in text or not re.fullmatch(r"[0-9]+|[\w.-]+(/[\w.-]+)+", text) or text.endswith(".git"):
        address.elsewhere(f"the app asks {_shown(asks)}")


_Rules = dict[str, Callable[[Value, bool, Findings], None]]
_SOURCE_RULES: _Rules = {
    "github": _source_github,
    "gitlab": _source_gitlab,
    "azurerepos": _source_azurerepos,
    "local": _source_local,
}
_TICKETS_RULES: _Rules = {
    "github": _tickets_github,
    "gitlab": _tickets_gitlab,
    "azuredevops": _tickets_azuredevops,
    "jira": _tickets_jira,
}
