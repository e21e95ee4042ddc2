# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a project the app looks at: it depends on the types, the steps of the pipeline and a few switches."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """One project, as far as it decides which keys are read.

    Attributes:
        steps: commands of the pipeline that the project names; all of them if that pipeline is unknown.
        source, tickets: types in lower case, empty if the app does not know them.
        agent: `claude`, `openai`, `gemini`, or empty.
        models, cache, compaction: whether there is a registry of models; whether the two are switched on.
    """

    steps: frozenset[str]
    source: str
    tickets: str
    agent: str
    models: bool
    cache: bool
    compaction: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads a key, and when.

    Attributes:
        by: class of the app and condition, for people.
        when: the condition.
        mention: a value that nobody reads is worth a word even if nothing is wrong with it.
    """

    by: str
    when: Callable[[Usage], bool]
    mention: bool = False


def step(command: str) -> Callable[[Usage], bool]:
    """The condition that the pipeline has a command."""
    return lambda usage: command in usage.steps


def source_is(*types: str) -> Callable[[Usage], bool]:
    """The condition that the source has one of these types."""
    return lambda usage: usage.source in types


def tickets_are(*types: str) -> Callable[[Usage], bool]:
    """The condition that the tickets have one of these types."""
    return lambda usage: usage.tickets in types


def agent_is(*types: str, **switches: bool) -> Callable[[Usage], bool]:
    """The condition that the agent has one of these types, and that the switches stand so."""
    return lambda usage: (
        usage.agent in types and all(getattr(usage, name) == wanted for name, wanted in switches.items())
    )


ALWAYS = Reading("always", lambda _: True)
NOBODY = Reading("nobody", lambda _: False)
EVERY_AGENT = ("claude", "openai", "gemini")
