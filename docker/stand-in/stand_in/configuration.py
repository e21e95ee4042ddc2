# SPDX-License-Identifier: GPL-3.0-or-later
"""agentsmith.yml as the app reads it at Phase 19: what is missing or unknown is not noticed before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

CONFIGURATION_PATH = "config/agentsmith.yml"
"""Relative to the working directory, which is /app in the containers."""
CODING_PRINCIPLES_PATH = "config/coding-principles.md"
NULL_REFERENCE = "Object reference not set to an instance of an object."
_NULLS = ("", "~", "null", "Null", "NULL")


class ConfigurationError(Exception):
    """The app's ConfigurationException: its message goes to Slack, or ends the agent."""


@dataclass(frozen=True)
class Project:
    """One entry of `projects`. A type that is not set is empty."""

    source_type: str = ""
    tickets_type: str = ""
    tickets_url: str | None = None
    tickets_project: str | None = None
    agent_type: str = ""
    pipeline: str = ""
    coding_principles_path: str = CODING_PRINCIPLES_PATH
    source_url: str | None = None


@dataclass(frozen=True)
class Configuration:
    """The file's content. `digest` is the SHA-256 of its bytes, in hexadecimal digits."""

    projects: Mapping[str, Project]
    pipelines: Mapping[str, tuple[str, ...]]
    digest: str


def load_configuration(path: str = CONFIGURATION_PATH) -> Configuration:
    """Read the file, every time anew. Raises ConfigurationError with the app's words."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        raise ConfigurationError(f"Configuration file not found: {path}") from None
    try:
        # Every scalar stays text: the app's parser takes the type from the field it fills, not from the YAML.
        document = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - it can construct nothing but texts
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Invalid YAML in {path}: {error}") from None
    if document is None or document in _NULLS:
        raise ConfigurationError("Configuration file is empty.")
    try:
        document = _mapping(document, "the document")
        _mapping(document.get("secrets", {}), "secrets")
        projects = _mapping(document.get("projects", {}), "projects")
        pipelines = _mapping(document.get("pipelines", {}), "pipelines")
        return Configuration(
            {name: _project(name, node) for name, node in projects.items()},
            {name: _commands(name, node) for name, node in pipelines.items()},
            hashlib.sha256(content).hexdigest(),
        )
    except _WrongShapeError as error:
        raise ConfigurationError(f"Invalid YAML in {path}: {error}") from None


class _WrongShapeError(Exception):
    """A node that cannot be converted to what the app's class has in its place."""


def _project(name: str, node: object) -> Project:
    place = f"projects.{name}"
    project = _mapping(node, place)
    source, tickets, agent = (
        _mapping(project.get(part, {}), f"{place}.{part}") for part in ("source", "tickets", "agent")
    )
    return Project(
        source_type=_text(source, "type", place) or "",
        tickets_type=_text(tickets, "type", place) or "",
        tickets_url=_text(tickets, "url", place),
        tickets_project=_text(tickets, "project", place),
        agent_type=_text(agent, "type", place) or "",
        pipeline=_text(project, "pipeline", place) or "",
        coding_principles_path=_text(project, "coding_principles_path", place) or CODING_PRINCIPLES_PATH,
        source_url=_text(source, "url", place),
    )


def _commands(name: str, node: object) -> tuple[str, ...]:
    place = f"pipelines.{name}"
    commands = _mapping(node, place).get("commands", [])
    if not isinstance(commands, list) or not all(isinstance(command, str) for command in commands):
        raise _WrongShapeError(f"{place}.commands is not a list of texts")
    return tuple(commands)


def _mapping(node: object, place: str) -> Mapping[str, object]:
    if isinstance(node, str) and node in _NULLS:
        raise ConfigurationError(NULL_REFERENCE)
    if not isinstance(node, dict):
        raise _WrongShapeError(f"{place} is not a mapping")
    return node


def _text(node: Mapping[str, object], key: str, place: str) -> str | None:
    value = node.get(key)
    if value is None or value in _NULLS:
        return None
    if not isinstance(value, str):
        raise _WrongShapeError(f"{place}: {key} is not a text")
    return value
