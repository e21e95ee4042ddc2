# SPDX-License-Identifier: GPL-3.0-or-later
"""What release 0.9.2 makes of a project otherwise, as far as one key alone cannot say it.

`misread` is a file that works with something other than it says: it was written for the older release.
"""

from .dotnet_uri import NoUri, parse
from .finding import Findings, join_path, listing, quote, suggestion
from .pipelines import steps_of
from .reader import Value
from .schema import COMMANDS, IMAGE_FILES, JOB_VARIABLES
from .usage import Usage

_ALL = frozenset(COMMANDS)
_PRESETS = {
    "fix-bug": _ALL,
    "fix-no-test": _ALL - {"TestCommand"},
    "add-feature": _ALL,
    "init-project": frozenset(("CheckoutSourceCommand", "CommitAndPRCommand")),
    "mad-discussion": _ALL - {"AgenticExecuteCommand", "TestCommand"},
}
"""The pipelines that a `fix` can run, with those of the older release's commands whose work they do."""

_WORKING = ("fix-bug", "fix-no-test", "add-feature", "init-project")
_FAILING = {
    "security-scan": "fails when it is started from chat",
    "legal-analysis": "needs a document, which nobody can name in chat",
    "api-security-scan": "needs an address, which nobody can name in chat",
    "skill-manager": "needs a service that the release does not register (ILlmClient)",
    "autonomous": "needs a ticket that it never fetches",
}
_OWN_MODELS = "claude-haiku-4-5-20251001 and claude-sonnet-4-20250514"


def check_preset(project: Value, pipelines: Value | None, findings: Findings) -> frozenset[str]:
    """Check the pipeline that a project names.

    Args:
        project: the usable value of the project.
        pipelines: what the older release would read, None if there is none.
        findings: receives what is wrong.

    Returns:
        The commands whose work the preset does; all of them if there is no such preset.
    """
    value = project.get("pipeline")
    if value is None or not isinstance(value.data, str):
        return _ALL
    name = value.data.lower()
    steps = _PRESETS.get(name)
    if steps is None:
        reason = _FAILING.get(name)
        why = reason or "is no pipeline of release 0.9.2: every `fix` stops with `not found in presets`"
        hint = "" if reason else suggestion(name, _WORKING)
        message = f"{quote(value.data)} {why}. It has pipelines of its own and ignores `pipelines`; these work: "
        findings.error("unknown_pipeline", value.path, f"{message}{listing(_WORKING)}{hint}", value.node)
        return _ALL
    if name == "mad-discussion" and project.text("skills_path").rstrip("/") != "skills/mad":
        message = (
            f"{quote(value.data)} needs `skills_path: skills/mad`: with other skills a `fix` stops with `Key 'Plan' "
            "not found`, unless the model picks two roles"
        )
        findings.warning("skills_path", value.path, message, value.node)
    written = pipelines.get(value.data) if pipelines is not None else None
    if written is not None and steps_of(written) != steps:
        difference = _difference(steps_of(written), steps)
        message = f"release 0.9.2 ignores these commands and runs its own {quote(name)}: {difference}"
        findings.warning("misread", written.path, message, written.place)
    return steps


def _difference(written: frozenset[str], steps: frozenset[str]) -> str:
    """What the preset does beyond the list, and what it leaves out."""
    beyond, without = (
        listing(name for name in COMMANDS if name in part) for part in (steps - written, written - steps)
    )
    texts = (beyond and f"it also does the work of {beyond}", without and f"it does not do the work of {without}")
    return ", and ".join(text for text in texts if text)


def check_principles_of_repository(value: Value, path: str, findings: Findings) -> None:
    """Check `coding_principles_path`: a file of the repository, or of the Job's container if the path is absolute."""
    if path.removeprefix("./") in IMAGE_FILES:
        message = (
            f"{quote(path)} is a file of the older release's image: 0.9.2 looks for it in the repository, and every "
            "`fix` stops if it is not there. Remove the key: the agent then writes `.agentsmith/coding-principles.md`"
        )
        findings.warning("misread", value.path, message, value.node)
    elif path:
        where = "the Job's container" if path.startswith("/") else "the repository"
        message = f"{quote(path)} is looked up in {where}, which the check cannot see: `fix` stops if it is not there"
        findings.warning("coding_principles_path", value.path, message, value.node)


def check_newer_agent(agent: Value, usage: Usage, findings: Findings) -> None:
    """Check the switches, the models and the address of an agent."""
    for section in ("cache", "compaction") if usage.agent == "claude" else ():
        part = agent.get(section)
        switch = part.get("enabled") if part is not None else None
        if part is not None and switch is not None and switch.data is False and part.get("is_enabled") is None:
            message = "release 0.9.2 ignores this key and takes true: write `is_enabled: false` as well"
            findings.warning("misread", switch.path, message, switch.place)
    if usage.agent == "claude" and not usage.models:
        message = (
            f"the steps before the plan do not ask this model, but {_OWN_MODELS}: write `models` (`models: {{}}` asks "
            "these for everything)"
        )
        item = agent.get("model") or agent
        findings.warning("misread", join_path(agent.path, "model"), message, item.place)
    elif usage.agent == "openai":
        _check_models_of_openai(agent, usage, findings)
        _check_endpoint(agent.get("endpoint"), findings)
        _check_variable(agent.get("api_key_secret"), findings)


def _check_models_of_openai(agent: Value, usage: Usage, findings: Findings) -> None:
    """The defaults of all steps are models of Anthropic."""
    models = agent.get("models")
    if models is None or not usage.models:
        message = (
            f"is missing: the steps before the plan then ask OpenAI for {_OWN_MODELS}, which it does not have; name "
            "context_generation, code_map_generation, planning and primary"
        )
        findings.error("model_name", join_path(agent.path, "models"), message, agent.place)
    elif isinstance(models.data, dict):
        missing = "is missing: the app's default is a model of Anthropic, which OpenAI does not have; "
        if models.get("context_generation") is None:
            message = f"{missing}every `fix` stops, unless the repository has `.agentsmith/context.yaml`; name a model"
            findings.error("model_name", join_path(models.path, "context_generation"), message, models.place)
        if models.get("code_map_generation") is None:
            message = f"{missing}the agent works without a map of the code"
            findings.warning("model_name", join_path(models.path, "code_map_generation"), message, models.place)


def _check_endpoint(endpoint: Value | None, findings: Findings) -> None:
    if endpoint is None or not endpoint.usable or not endpoint.data:
        return
    shown = f"is {quote(endpoint.data)}"
    try:
        uri = parse(endpoint.data)
    except NoUri as error:
        findings.error("url", endpoint.path, f"{shown}: the app then stops with {error}", endpoint.node)
        return
    if uri.scheme not in ("http", "https"):
        findings.error("url", endpoint.path, f"{shown}: the app takes http and https only", endpoint.node)
        return
    if uri.scheme == "http":
        message = f"{shown}: over http the key would be readable on the way; write https"
        findings.policy("unencrypted", endpoint.path, message, endpoint.node)
    if uri.has_password:
        findings.policy("secret_in_clear", endpoint.path, f"{shown}, with a password in it", endpoint.node)
    message = (
        f"{shown}: the steps before the plan ask it for /v1/chat/completions, the others for /chat/completions; only a "
        "server that has both works"
    )
    findings.warning("endpoint", endpoint.path, message, endpoint.node)


def _check_variable(variable: Value | None, findings: Findings) -> None:
    if variable is not None and variable.usable and variable.data and variable.data not in JOB_VARIABLES:
        message = f"{quote(variable.data)} is no variable of the Jobs, which have {listing(JOB_VARIABLES)}"
        findings.error("missing_variable", variable.path, message, variable.node)
