# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for `projects`: names that chat can reach, pipelines that exist, values that fit who reads them."""

import itertools
import posixpath
import re
from dataclasses import dataclass, field

from ..text.counted import counted
from .addresses import Addresses, addresses_of
from .finding import Findings, join_path, listing, quote, suggestion
from .pipelines import check_commands, steps_of
from .providers import check_source, check_tickets
from .reader import Value
from .release_0_9_2 import check_newer_agent, check_preset, check_principles_of_repository
from .releases import Release
from .retries import failing_wait
from .schema import (
    AGENT_PROVIDERS,
    CACHE_STRATEGIES,
    COMMANDS,
    IMAGE_FILES,
    NOISE_WORDS,
    PROJECT_NAME,
    RETRY,
    SOURCE_PROVIDERS,
    TICKETS_PROVIDERS,
)
from .usage import Usage
from .values import judge_record

_SYSTEM_FOLDERS = ("/etc/", "/usr/", "/opt/", "/var/", "/home/", "/tmp/")  # noqa: S108 - names, nothing is written there


@dataclass
class _Unpriced:
    """A model without a price: the first place that uses it, and all projects that do."""

    value: Value
    projects: list[str] = field(default_factory=list)

    def add(self, project: str) -> None:
        """Note a project, once however often it uses the model."""
        if project not in self.projects[-1:]:
            self.projects.append(project)


def check_projects(projects: Value, pipelines: Value | None, findings: Findings, release: Release) -> list[Addresses]:
    """Check every project. Returns what the app asks for each of them.

    Args:
        projects: the usable value of `projects`.
        pipelines: the value of `pipelines`, None when the document has none.
        findings: receives what is wrong.
        release: which release of the app reads the document.
    """
    table = release.project
    if not projects.data:
        findings.error("empty", projects.path, "is empty: chat could name no project; add one", projects.place)
    unpriced: dict[str, _Unpriced] = {}
    addresses = []
    for name, project in projects.data.items():
        _check_name(name, project, findings)
        if not project.usable:
            continue
        if project.is_null:
            what = "the app refuses the whole file" if release.has_presets else "every command for it fails"
            message = f"has no value (null): {what} with a NullReferenceException; write it, or remove it"
            findings.error("null", project.path, message, project.node)
            continue
        if release.has_presets:
            steps = check_preset(project, pipelines, findings)
        else:
            pipeline = _pipeline_of(project, pipelines, findings)
            if pipeline is not None and findings.is_new(id(pipeline.data)):
                check_commands(pipeline, findings, used=True)
            steps = steps_of(pipeline) if pipeline is not None else frozenset(COMMANDS)
        usage = _usage_of(project, steps, release)
        judge_record(project, table, usage, True, findings)
        source_is_read = table.keys["source"].read.when(usage)
        if (source := project.get("source")) and source.usable:
            check_source(source, source_is_read, findings)
        if (tickets := project.get("tickets")) and tickets.usable:
            _check_variables(tickets, findings)
            check_tickets(tickets, True, findings)
        if (agent := project.get("agent")) and agent.usable and not agent.is_null:
            _check_agent(agent, usage, table.keys["agent"].read.when(usage), findings)
            if release.has_presets:
                check_newer_agent(agent, usage, findings)
            for value in _unpriced_models(agent, usage):
                unpriced.setdefault(value.data, _Unpriced(value)).add(name)
        _check_coding_principles(project, usage, findings, release)
        addresses.append(addresses_of(name, project, source_is_read))
    for model, use in unpriced.items():
        others = f" in {counted(len(use.projects), 'project')}" if len(use.projects) > 1 else ""
        message = f"{quote(model)} has no price under `agent.pricing.models`{others}: the app reports no cost for it"
        findings.warning("no_price", use.value.path, message, use.value.node)
    return addresses


def _usage_of(project: Value, steps: frozenset[str], release: Release) -> Usage:
    source, tickets, agent = (project.get(part) for part in ("source", "tickets", "agent"))
    provider = AGENT_PROVIDERS.get(agent.text("type").lower()) if agent is not None else None

    def is_on(section: str) -> bool:
        value = agent.get(section) if agent is not None else None
        flag = value.get(release.switch) if value is not None else None
        return flag is None or flag.data is not False

    models = agent.get("models") if agent is not None else None
    source_type = source.text("type").lower() if source is not None else ""
    tickets_type = tickets.text("type").lower() if tickets is not None else ""
    return Usage(
        steps=steps,
        source=source_type if source_type in SOURCE_PROVIDERS else "",
        tickets=tickets_type if tickets_type in TICKETS_PROVIDERS else "",
        agent=provider.name if provider is not None else "",
        models=models is not None and not models.is_null,
        cache=is_on("cache"),
        compaction=is_on("compaction"),
    )


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


def _pipeline_of(project: Value, pipelines: Value | None, findings: Findings) -> Value | None:
    """The pipeline that a project names; None if there is none, which a finding says."""
    pipeline = project.get("pipeline")
    # Where `pipelines` is missing or unusable, another finding says so.
    if pipeline is None or not isinstance(pipeline.data, str) or pipelines is None or not pipelines.usable:
        return None
    found = pipelines.get(pipeline.data)
    if found is None:
        known = listing(quote(name) for name in itertools.islice(pipelines.data or (), 20)) or "none"
        hint = suggestion(pipeline.data, pipelines.data or ()) or f"; there are: {known}"
        message = f"{quote(pipeline.data)} is not an entry of `pipelines` (exact case counts){hint}"
        findings.error("unknown_pipeline", pipeline.path, message, pipeline.node)
    return found


def _check_variables(tickets: Value, findings: Findings) -> None:
    """Keys that the app takes from an environment variable if they are left out, of which the Jobs get none."""
    provider = TICKETS_PROVIDERS.get(tickets.text("type").lower())
    for key, (variable, setting) in provider.variables.items() if provider is not None else ():
        item = tickets.get(key)
        if item is None or item.is_null:
            message = (
                f"is missing: the app then reads {variable}, which {setting} gives the Dispatcher, one value for all "
                "projects; the spawned Jobs do not get it"
            )
            findings.warning(
                "missing_variable", join_path(tickets.path, key), message, item.place if item else tickets.place
            )


def _check_coding_principles(project: Value, usage: Usage, findings: Findings, release: Release) -> None:
    value = project.get("coding_principles_path")
    read = release.project.keys["coding_principles_path"].read
    if value is None or not isinstance(value.data, str) or not read.when(usage):
        return
    path = value.data
    if release.has_presets:
        check_principles_of_repository(value, path, findings)
        return
    full = posixpath.normpath(posixpath.join("/app", path)) if path and not path.endswith("/") else ""
    if full.removeprefix("/app/") in IMAGE_FILES:
        return
    if full.startswith(_SYSTEM_FOLDERS):
        message = f"{quote(path)} is a path of the agent image's system: the check cannot see whether it exists there"
        findings.warning("coding_principles_path", value.path, message, value.node)
        return
    message = (
        f"{quote(path)} is looked up in the agent image under /app, which has {listing(IMAGE_FILES)} only: every `fix` "
        "stops with `Coding principles file not found`. At this version of the app it is no path in the repository "
        "(that came with 514c326f). If your own agent image has the file, add coding_principles_path to config_allow"
    )
    findings.error_unless_allowed("coding_principles_path", value.path, message, value.node)


def _check_agent(agent: Value, usage: Usage, read: bool, findings: Findings) -> None:
    models = agent.get("models")
    if models is not None and isinstance(models.data, dict) and usage.agent in ("openai", "gemini"):
        _check_default_models(models, agent.text("type"), usage, findings)
    cache = agent.get("cache")
    strategy = cache.get("strategy") if cache is not None else None
    is_used = usage.agent == "claude" and usage.cache and strategy is not None and isinstance(strategy.data, str)
    if strategy is not None and is_used and strategy.data.lower() not in CACHE_STRATEGIES:
        message = f"{quote(strategy.data)} switches caching off; known are {listing(CACHE_STRATEGIES)}"
        findings.warning("cache_strategy", strategy.path, message, strategy.node)
    retry = agent.get("retry")
    if read and retry is not None and isinstance(retry.data, dict) and usage.agent in ("claude", "openai"):
        _check_waits(retry, findings)
    _check_used_prices(agent, usage, findings)


def _check_default_models(models: Value, shown: str, usage: Usage, findings: Findings) -> None:
    """The app's defaults for `primary` and `planning` are models of Anthropic."""
    for key, command in (("primary", "AgenticExecuteCommand"), ("planning", "GeneratePlanCommand")):
        if models.get(key) is None and command in usage.steps:
            message = (
                f"is missing: the app's default is a model of Anthropic, which {shown} does not have; name a model, or "
                "remove `models`"
            )
            findings.error("model_name", join_path(models.path, key), message, models.place)


def _check_waits(retry: Value, findings: Findings) -> None:
    numbers = []
    for name, key in RETRY.keys.items():
        item = retry.get(name)
        if item is not None and not item.usable:
            return
        numbers.append(key.default if item is None else item.data)
    attempts, initial, multiplier, most = numbers
    if attempts >= 1 and (why := failing_wait(attempts, initial, multiplier, most)):
        message = f"the waits between retries cannot be computed, and a `fix` that has to retry ends with {why}"
        place = retry.get("backoff_multiplier") or retry
        findings.error("retry_wait", retry.path, f"{message}: take smaller numbers", place.node)


def _used_models(agent: Value, usage: Usage) -> list[Value]:
    """The names of models that the app asks a provider for; none for a type that it does not know."""
    models = agent.get("models")
    if not usage.models:
        used = [agent.get("model")]
        if usage.agent == "claude" and usage.compaction and (compaction := agent.get("compaction")):
            used.append(compaction.get("summary_model"))
    else:
        keys = ["planning", "primary"]
        if usage.agent == "claude":
            keys += ["scout", *(["summarization"] if usage.compaction else [])]
        assigned = [models.get(key) for key in keys] if models is not None else []
        used = [item.get("model") for item in assigned if item is not None]
    return [value for value in used if value is not None and value.usable and value.data]


def _prices(agent: Value) -> dict[str, Value] | None:
    """Model name to price; None if they are unusable."""
    pricing = agent.get("pricing")
    if pricing is None:
        return {}
    models = pricing.get("models")
    if not pricing.usable or pricing.is_null or (models is not None and (not models.usable or models.is_null)):
        return None
    return models.data if models is not None else {}


def _check_used_prices(agent: Value, usage: Usage, findings: Findings) -> None:
    prices = _prices(agent) or {}
    if not findings.is_new((id(prices), usage)):
        return
    used = {value.data for value in _used_models(agent, usage)} if usage.agent else set()
    for name, price in prices.items():
        if price.is_null:
            effect = "the app fails with a NullReferenceException when it sums up the cost"
            message = f"has no value (null): {effect}; give a mapping, or remove it"
            findings.fault(
                name in used and "AgenticExecuteCommand" in usage.steps, "null", price.path, message, price.node
            )


def _unpriced_models(agent: Value, usage: Usage) -> list[Value]:
    """The models that a project asks for and has no price for."""
    prices = _prices(agent)
    if prices is None or not usage.agent or "AgenticExecuteCommand" not in usage.steps:
        return []
    return [value for value in _used_models(agent, usage) if value.data not in prices]
