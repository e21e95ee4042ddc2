# SPDX-License-Identifier: GPL-3.0-or-later
"""What the versions of the app do otherwise: all differences are here, and every program looks only at these facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SWITCH = "STAND_IN_APP"


class AppVersionError(ValueError):
    """A version that the stand-in does not stand in for."""


@dataclass(frozen=True)
class AppVersion:
    """One version of the app; times are in seconds."""

    name: str
    listen_urls: str
    """What the Dockerfile of its Dispatcher sets."""
    needs_cluster: bool
    """Whether the Dispatcher dies at its start outside of a cluster; otherwise it only drops what it is told."""
    needs_anthropic_key: bool
    """Whether a message is dropped unless the Dispatcher has ANTHROPIC_API_KEY, which may be empty."""
    language_model: str
    """What the Dispatcher's log calls what it asks about a text that it does not understand."""
    conversation_lifetime: int
    """How long a channel stays busy of whose job nothing is heard."""
    notes_activity: bool
    """Whether a conversation has the field `lastActivityAt`."""
    watches_jobs: bool
    """Whether the Dispatcher asks Kubernetes for its Jobs and frees the channels of those that ended unheard."""
    emojis: bool
    """Whether "Starting" and the steps begin with an emoji."""
    overlong_last_bar: bool
    """Whether the bar of the last step has one character too many."""
    agent_command: tuple[str, ...]
    """What the arguments of the agent begin with."""
    platform_variable: str
    """The Job's variable with the platform. MSBuild takes PLATFORM for its own."""
    ticket_variable: bool
    """Whether the Job has the variable TICKET_ID."""
    pr_link: bool
    """Whether the agent's Done has the address of the pull request."""
    reports_crashes: bool
    """Whether the agent reports what goes wrong outside of a pipeline's commands, as a missing configuration does."""


_TWO_HOURS = 2 * 60 * 60
_VERSIONS = (
    AppVersion(
        name="be4bffa1",
        listen_urls="http://+:8080",
        needs_cluster=False,
        needs_anthropic_key=False,
        language_model="Haiku",
        conversation_lifetime=_TWO_HOURS,
        notes_activity=False,
        watches_jobs=False,
        emojis=True,
        overlong_last_bar=True,
        agent_command=(),
        platform_variable="PLATFORM",
        ticket_variable=True,
        pr_link=False,
        reports_crashes=False,
    ),
    AppVersion(
        name="0.9.2",
        listen_urls="http://+:8081",
        needs_cluster=True,
        needs_anthropic_key=True,
        language_model="LLM",
        conversation_lifetime=45 * 60,
        notes_activity=True,
        watches_jobs=True,
        emojis=False,
        overlong_last_bar=False,
        agent_command=("run",),
        platform_variable="AGENTSMITH_PLATFORM",
        ticket_variable=False,
        pr_link=True,
        reports_crashes=True,
    ),
)
DEFAULT = _VERSIONS[0]


def app_version(environment: Mapping[str, str]) -> AppVersion:
    """Return the version that STAND_IN_APP names. Raises AppVersionError."""
    name = environment.get(SWITCH) or DEFAULT.name
    for version in _VERSIONS:
        if version.name == name:
            return version
    raise AppVersionError(f"{SWITCH}: '{name}' is none of {', '.join(version.name for version in _VERSIONS)}.")
