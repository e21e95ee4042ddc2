# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify has to know of the app's releases: the form of their Jobs, and what they ask the Kubernetes API."""

from dataclasses import dataclass

from ..agentsmith_config.releases import BE4BFFA1, RELEASE_0_9_2, Release


@dataclass(frozen=True)
class AppRelease:
    """One of them.

    Attributes:
        arguments: those of a Job's container that come before the common ones.
        variables: names of the variables that tell a Job of its request; the agent reads none of them.
        verbs: what its Dispatcher does with Jobs.
        reads: how it reads agentsmith.yml.
    """

    arguments: tuple[str, ...]
    variables: tuple[str, ...]
    verbs: tuple[str, ...]
    reads: Release


DEFAULT_APP = BE4BFFA1.name
APPS = {
    DEFAULT_APP: AppRelease(
        (), ("JOB_ID", "TICKET_ID", "PROJECT", "CHANNEL_ID", "USER_ID", "PLATFORM"), ("create",), BE4BFFA1
    ),
    # It asks whether a Job that says nothing is alive, and frees the channel of one that is not.
    RELEASE_0_9_2.name: AppRelease(
        ("run",),
        ("JOB_ID", "PROJECT", "CHANNEL_ID", "USER_ID", "AGENTSMITH_PLATFORM"),
        ("create", "get"),
        RELEASE_0_9_2,
    ),
}
