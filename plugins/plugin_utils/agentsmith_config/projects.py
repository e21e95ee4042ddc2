# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for `projects`: names that chat can reach, pipelines that exist, models that fit their provider."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from .finding import Findings, join_path, listing, quote, suggestion
from .providers import check_source, check_tickets
from .reader import Value
from .schema import AGENT_PROVIDERS, CACHE_STRATEGIES, NOISE_WORDS, PROJECT_NAME, AgentProvider


@dataclass
class _Unpriced:
    """A model without a price: the first place that uses it, and all projects that do."""

    value: Value
    projects: list[str] = field(default_factory=list)


def check_projects(projects: Value, pipelines: Value | None, findings: Findings) -> None:
    """Check every project.

    Args:
        projects: the usable value of `projects`.
        pipelines: the value of `pipelines`, None when the document has none.
    """
    if not projects.data:
        findings.error("empty", projects.path, "is empty: chat could name no project; add one", projects.place)
    unpriced: dict[str, _Unpriced] = {}
    for name, project in projects.data.items():
        _check_name(name, project, findings)
        if (source := project.get("source")) and source.usable:
            check_source(source, findings)
        if (tickets := project.get("tickets")) and tickets.usable:
            check_tickets(tickets, findings)
        if (agent := project.get("agent")) and agent.usable:
            _check_agent(agent, findings)
            for value in _unpriced_models(agent):
                unpriced.setdefault(value.data, _Unpriced(value)).projects.append(name)
        _check_pipeline(project, pipelines, findings)
        _check_coding_principles(project, findings)
    for model, use in unpriced.items():
        others = f" in {len(use.projects)} projects" if len(use.projects) > 1 else ""
        message = f"{quote(model)} has no price under `agent.pricing.models`{others}: the app reports no cost for it"
        findings.warning("no_price", use.value.path, message, use.value.node)


def looked_up_as(name: str) -> str | None:
    """The project that the agent looks for when somebody writes `fix #1 in NAME`; None when no word is left.

    The rule of the app's RegexIntentParser: digits go, with a `#` before them; noise words go; the first word left
    counts, in lower case.
    """
    words = re.sub(r"#?\d+", "", f"fix #1 in {name}").split()
    return next((word.lower() for word in words if word.lower() not in NOISE_WORDS), None)


def _check_name(name: str, project: Value, findings: Findings) -> None:
    if PROJECT_NAME.fullmatch(name) and name not in NOISE_WORDS:
        return
    allowed = "use a-z, `.`, `_` and `-`, a letter at both ends, at most 63 characters"
    reached = looked_up_as(name)
    if name.lower() in NOISE_WORDS:
        why = f"the agent drops the word from the message (it drops {listing(NOISE_WORDS)})"
        allowed = "choose another name"
    elif reached is None:
        why = "nothing of it is left once the agent has dropped digits and noise words"
    elif reached != name:
        why = f"the agent drops digits, takes one word and lower-cases it, so this becomes {quote(reached)}"
    else:
        why = "it is no valid label of a Kubernetes Job, and the API refuses the Job"
    message = f"the name {quote(name)} cannot be reached from chat: {why}; {allowed}"
    findings.error("project_name", project.path, message, project.place)


def _check_pipeline(project: Value, pipelines: Value | None, findings: Findings) -> None:
    pipeline = project.get("pipeline")
    # Where `pipelines` is missing or unusable, another finding says so.
    if pipeline is None or not isinstance(pipeline.data, str) or pipelines is None or not pipelines.usable:
        return
    if pipeline.data not in pipelines.data:
        known = listing(quote(name) for name in itertools.islice(pipelines.data, 20)) or "none"
        hint = suggestion(pipeline.data, pipelines.data) or f"; there are: {known}"
        message = f"{quote(pipeline.data)} is not an entry of `pipelines` (exact case counts){hint}"
        findings.error("unknown_pipeline", pipeline.path, message, pipeline.node)


def _check_coding_principles(project: Value, findings: Findings) -> None:
    value = project.get("coding_principles_path")
    if value is not None and isinstance(value.data, str) and not value.data.startswith(("config/", "./config/", "/")):
        message = (
            f"{quote(value.data)} is looked up in the agent image under /app, which has config/ only; at this version "
            "of the app it is no path in the repository (that came with 514c326f)"
        )
        findings.warning("coding_principles_path", value.path, message, value.node)


def _check_agent(agent: Value, findings: Findings) -> None:
    models = agent.get("models")
    has_models = models is not None and (models.data is not None or not models.usable)
    model = agent.get("model")
    if not has_models and (model is None or (model.usable and not model.data.strip())):
        message = "is missing: without it and without `models` the app asks the provider for a model without a name"
        findings.error("missing", join_path(agent.path, "model"), message, model.place if model else agent.place)
    shown = agent.text("type")
    provider = AGENT_PROVIDERS.get(shown.lower())
    if provider is not None:
        _check_ignored(agent, shown, provider, findings)
        if models is not None and isinstance(models.data, dict):
            _check_models(models, shown, provider, findings)
    cache = agent.get("cache")
    strategy = cache.get("strategy") if cache is not None else None
    if strategy is not None and strategy.data is not None and strategy.data.lower() not in CACHE_STRATEGIES:
        message = f"{quote(strategy.data)} switches caching off; known are {listing(CACHE_STRATEGIES)}"
        findings.warning("cache_strategy", strategy.path, message, strategy.node)


def _check_ignored(agent: Value, shown: str, provider: AgentProvider, findings: Findings) -> None:
    for key in provider.ignores:
        if (item := agent.get(key)) is not None:
            message = f"the app does not read it for the type {shown}; remove it"
            findings.warning("ignored_for_type", item.path, message, item.place)


def _check_models(models: Value, shown: str, provider: AgentProvider, findings: Findings) -> None:
    """OpenAI and Gemini use `primary` and `planning`, and the app's defaults for both are models of Anthropic."""
    if provider is AGENT_PROVIDERS["claude"]:
        return
    for key in ("primary", "planning"):
        if models.get(key) is None:
            message = (
                f"is missing: the app's default is a model of Anthropic, which {shown} does not have; name a model, or "
                "remove `models`"
            )
            findings.error("missing", join_path(models.path, key), message, models.place)


def _unpriced_models(agent: Value) -> list[Value]:
    """The models that a project names and has no price for."""
    pricing = agent.get("pricing")
    models = agent.get("models")
    priced = pricing.get("models") if pricing is not None else None
    if (pricing is not None and not pricing.usable) or (priced is not None and not priced.usable):
        return []
    used = [agent.get("model")]
    if models is not None and isinstance(models.data, dict):
        used = [assignment.get("model") for assignment in models.data.values()]
    prices = priced.data if priced is not None else {}
    return [value for value in used if value is not None and value.data and value.data not in prices]
