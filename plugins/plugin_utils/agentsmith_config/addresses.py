# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that the app asks for a project: where its tickets are, what it clones, where it opens pull requests.

The app builds each of them anew from the text of a key, with the methods of `Uri` and `string`, so that what it asks
may differ from what is written. The rules about addresses and the preview both read this module.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .dotnet_uri import NoUri, Uri, escape_data, parse
from .finding import without_secrets
from .reader import Value

_Asked = TypeVar("_Asked")

GITLAB = "https://gitlab.com"
"""What the app takes without GITLAB_URL, which no Job gets."""
TICKET = "1"
"""The number of the ticket in the addresses of this module."""


class NoAddress(ValueError):
    """The exception's text: the app ends with it before it asks anything."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What the app makes of a source: `pull_requests` is None if it fails once it opens one."""

    clone: str
    pull_requests: str | None


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the app asks for one project; None for what it does not ask, or fails on."""

    project: str
    tickets: str | None
    clone: str | None
    pull_requests: str | None

    def as_dict(self) -> dict[str, str | None]:
        """For a module's result: without passwords and tokens."""
        values = {"tickets": self.tickets, "clone": self.clone, "pull_requests": self.pull_requests}
        masked = {name: value if value is None else without_secrets(value) for name, value in values.items()}
        return {"project": without_secrets(self.project), **masked}


def addresses_of(name: str, project: Value, source_is_read: bool) -> Addresses:
    """The addresses of a project whose values are usable."""
    source, tickets = project.get("source"), project.get("tickets")
    repository: Repository | None = None
    if source is not None and source_is_read:
        repository = _asked(_REPOSITORIES.get(source.text("type").lower()), source)
    return Addresses(
        name,
        None if tickets is None else _asked(_TICKETS.get(tickets.text("type").lower()), tickets),
        None if repository is None else repository.clone,
        None if repository is None else repository.pull_requests,
    )


def _asked(find: Callable[[Value], _Asked] | None, value: Value) -> _Asked | None:
    if find is None:
        return None
    try:
        return find(value)
    except (NoAddress, NoUri):
        return None


def github_parts(uri: Uri) -> tuple[str, str]:
    """Owner and repository, either of which may be empty (ParseGitHubUrl of the two providers)."""
    if len(uri.parts) < 2:
        raise NoAddress("`Invalid GitHub URL`: owner or repository is missing")
    return uri.parts[0], uri.parts[1]


def github_repository(url: str) -> Repository:
    """SourceProviderFactory.CreateGitHub and GitHubSourceProvider: the text itself is cloned."""
    owner, repository = github_parts(parse(url.replace(".git", "")))
    clone = url if url.endswith(".git") else f"{url}.git"
    return Repository(
        clone, f"https://api.github.com/repos/{owner}/{repository}/pulls" if owner and repository else None
    )


def github_tickets(url: str) -> str:
    """GitHubTicketProvider. An empty name is refused before anything is asked."""
    owner, repository = github_parts(parse(url))
    if not owner or not repository:
        raise NoAddress("`String cannot be empty`: owner or repository is empty")
    return f"https://api.github.com/repos/{owner}/{repository}/issues/{TICKET}"


def gitlab_project(url: str) -> str:
    """SourceProviderFactory.ExtractGitLabProjectPath: the path alone is read."""
    return parse(url.replace(".git", "")).path.strip("/")


def gitlab_repository(url: str) -> Repository:
    """GitLabSourceProvider."""
    project = gitlab_project(url)
    return Repository(f"{GITLAB}/{project}.git", f"{GITLAB}/api/v4/projects/{escape_data(project)}/merge_requests")


def gitlab_tickets(project: str) -> str:
    """GitLabTicketProvider: the whole text is one part of the path."""
    return str(parse(f"{GITLAB}/api/v4/projects/{escape_data(project)}/issues/{TICKET}"))


def azure_repository(url: str) -> Repository:
    """SourceProviderFactory.CreateAzureRepos: four parts of the path by position, and the host without its port."""
    uri = parse(url.replace(".git", ""))
    parts = uri.parts
    if len(parts) < 4 or parts[2] != "_git" or not all(parts[:4]):
        raise NoAddress("`Invalid Azure Repos URL`: it takes the path apart by position")
    organization = f"{uri.scheme}://{uri.host}/{parts[0]}"
    asks = uri.scheme in ("http", "https")
    return Repository(
        f"{organization}/{parts[1]}/_git/{parts[3]}",
        azure_place(organization, parts[1], parts[3]) if asks else None,
    )


def azure_tickets(organization: str, project: str) -> str:
    """TicketProviderFactory.CreateAzureDevOps: the organization becomes a part of an address, the project does not."""
    return azure_place(str(parse(f"https://dev.azure.com/{organization}")), project)


def azure_place(organization: str, *names: str) -> str:
    """What is handed to the SDK of Azure DevOps: an address, and names that it escapes."""
    return " ".join((organization, *(f'"{name}"' for name in names)))


def jira_tickets(url: str) -> str:
    """JiraTicketProvider appends the path of the API to the text."""
    base = url.rstrip("/")
    if ":" not in base:
        raise NoAddress("`An invalid request URI was provided`")
    uri = parse(f"{base}/rest/api/3/issue/{TICKET}")
    if uri.scheme not in ("http", "https"):
        raise NoAddress(f"`The '{uri.scheme}' scheme is not supported.`")
    return str(uri)


def _url(value: Value) -> str:
    item = value.get("url")
    if item is None or not isinstance(item.data, str):
        raise NoAddress("Value cannot be null")
    return item.data


def _gitlab_path(value: Value) -> str:
    item = value.get("project")
    if item is None or not isinstance(item.data, str):
        raise NoAddress("Required environment variable 'GITLAB_PROJECT' is not set.")
    return item.data


_REPOSITORIES: dict[str, Callable[[Value], Repository]] = {
    "github": lambda value: github_repository(_url(value)),
    "gitlab": lambda value: gitlab_repository(_url(value)),
    "azurerepos": lambda value: azure_repository(_url(value)),
}
_TICKETS: dict[str, Callable[[Value], str]] = {
    "github": lambda value: github_tickets(_url(value)),
    "gitlab": lambda value: gitlab_tickets(_gitlab_path(value)),
    "azuredevops": lambda value: azure_tickets(value.text("organization"), value.text("project")),
    "jira": lambda value: jira_tickets(_url(value)),
}
