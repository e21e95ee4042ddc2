# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of the Kubernetes Secret a configuration needs, where, and why."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .reader import Value
from .schema import AGENT_PROVIDERS, SECRET_KEYS, SOURCE_PROVIDERS, TICKETS_PROVIDERS

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class RequiredSecret:
    """A key of the Secret that the configuration calls for.

    Attributes:
        key: in the Secret, such as `github-token`.
        variable: environment variable that it becomes.
        dispatcher: the Dispatcher reads it, for `list` and `create` (tickets).
        jobs: the Jobs read it, for `fix` (source, tickets, agent).
        reaches_jobs: whether the spawned Jobs get it at all at this version of the app.
        reasons: the first settings that call for it, such as `projects.api.tickets.type: GitHub`.
    """

    key: str
    variable: str
    dispatcher: bool
    jobs: bool
    reaches_jobs: bool
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {**asdict(self), "reasons": list(self.reasons)}


def required_by(root: Value) -> list[RequiredSecret]:
    """The Secret's keys that a document needs, in the order of `schema.SECRET_KEYS`. Unknown types need nothing."""
    dispatcher: set[str] = set()
    reasons: dict[str, list[str]] = {}
    for keys, reason, for_dispatcher in _uses(root):
        for key in keys:
            found = reasons.setdefault(key, [])
            if len(found) < _MOST_REASONS:
                found.append(reason)
            if for_dispatcher:
                dispatcher.add(key)
    return [
        RequiredSecret(key, secret.variable, key in dispatcher, True, secret.reaches_jobs, tuple(reasons[key]))
        for key, secret in SECRET_KEYS.items()
        if key in reasons
    ]


def _uses(root: Value) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Keys, the setting that calls for them, and whether the Dispatcher reads them too."""
    projects = root.get("projects")
    if projects is None or not isinstance(projects.data, dict):
        return
    for project in projects.data.values():
        for part, table in (("source", SOURCE_PROVIDERS), ("tickets", TICKETS_PROVIDERS)):
            value = project.get(part)
            provider = table.get(value.text("type").lower()) if value is not None else None
            if value is not None and provider is not None:
                yield provider.secrets, f"{value.path}.type: {value.text('type')}", part == "tickets"
        agent = project.get("agent")
        agent_provider = AGENT_PROVIDERS.get(agent.text("type").lower()) if agent is not None else None
        if agent is not None and agent_provider is not None:
            # Release 0.9.2 lets a file name the variable of the key.
            named = agent.text("api_key_secret") if agent_provider.name == "openai" else ""
            key = next((key for key, secret in SECRET_KEYS.items() if secret.variable == named), agent_provider.secret)
            yield (key,), f"{agent.path}.type: {agent.text('type')}", False
