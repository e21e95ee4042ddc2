# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of `agentsmith.yml` at Phase 19 of the app, as tables.

Derived from the app's classes (`src/AgentSmith.Contracts/Configuration/*.cs` at 79b52441, 2026-02-20); upstream has no
schema for them. The check and the JSON Schema both read these tables. Commits named here are the app's.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from .usage import ALWAYS, EVERY_AGENT, NOBODY, Reading, agent_is, source_is, step, tickets_are

FINE, FAILS, LATER = "fine", "fails", "later"
"""What the app makes of a null or an empty text: it works, it fails, or the provider refuses its first request."""


@dataclass(frozen=True)
class Text:
    """A string. Any scalar is one.

    `null`, `empty`, `blank` (white space alone) and `placeholder` (`${NAME}`, which the app takes literally): FINE,
    FAILS or LATER.
    """

    noun: str = "text"
    null: str = FAILS
    empty: str = FAILS
    blank: str = FAILS
    placeholder: str = FAILS


@dataclass(frozen=True)
class Choice:
    """A string out of a set that the app compares without regard to case; `values` is spelt as upstream does.

    `later` holds values that only a later version of the app knows, with what to say about them.
    """

    values: tuple[str, ...]
    later: dict[str, str] = field(default_factory=dict)
    noun: str = "text"


@dataclass(frozen=True)
class Integer:
    """A C# int. `minimum`: the least that the app works with, for the reason `why`; None for any number.

    `only_zero`: the app fails with zero alone, although the minimum is 1. A negative number
    that the app works with is refused as a policy.
    """

    minimum: int | None = None
    why: str = ""
    only_zero: bool = False
    noun: str = "a whole number of 32 bit"


@dataclass(frozen=True)
class Real:
    """A C# double."""

    noun: str = "a number with a decimal point"
    minimum: None = None
    why: str = ""


@dataclass(frozen=True)
class Price:
    """A C# decimal, in USD per million tokens."""

    noun: str = "a price with a decimal point and no exponent"
    minimum: None = None
    why: str = ""


@dataclass(frozen=True)
class Flag:
    """A C# bool."""

    noun: str = "true or false"


@dataclass(frozen=True)
class Key:
    """One key of a record.

    Attributes:
        kind: type of the value.
        description: one sentence, for editors.
        read: who reads it, and when.
        source: class or method of the app that shows it.
        required: the app cannot work without it where it reads it.
        default: what the app takes when the key is left out.
        never_read: why the app ignores this key although its class has it.
        null_counts_as: what the app takes for an explicit null, if it is more than 0 or false.
        newer: how release 0.9.2 reads the key, if it reads it otherwise: GONE, or the name of the key that it reads in
            its place, or all of it anew.
    """

    kind: Any
    description: str
    read: Reading = ALWAYS
    source: str = ""
    required: bool = False
    nullable: bool = False
    default: Any = None
    never_read: str | None = None
    null_counts_as: str | None = None
    newer: "Key | str | None" = None


GONE = ""


@dataclass(frozen=True)
class Record:
    """A mapping with fixed keys.

    `later`: keys of a later version of the app, with what to say about them; `newer`: keys that only 0.9.2 reads.
    """

    name: str
    keys: dict[str, Key]
    later: dict[str, str] = field(default_factory=dict)
    newer: dict[str, Key] = field(default_factory=dict)
    noun: str = "a mapping"


@dataclass(frozen=True)
class MapOf:
    """A mapping from names to values of one kind."""

    item: Any
    noun: str = "a mapping"


@dataclass(frozen=True)
class ListOf:
    """A list of values of one kind."""

    item: Any
    noun: str = "a list"


@dataclass(frozen=True)
class Unread:
    """What this release skips; the other one reads a value of the kind `item` there."""

    item: Any
    noun: str = "anything"


# --- Later versions of the app ------------------------------------------------------------------------------------

_RENAMED = "`is_enabled` came with a later version of the app (98816d4c, 2026-02-22); this one reads `enabled`"
_NEWER = "it came with a later version of the app, which 0.9.2 has"
_CATALOG = "catalogs came with a later version of the app (p0139, 2f3e5c7c, 2026-05-17)"
_CONNECTIONS = "came with a later version of the app (June 2026, 1a04f224, d8084629)"
_PERSISTENCE = "came with a later version of the app (p0349, 0686b735, 2026-07-19)"
_HEAD = "belongs to a later version of the app (seen at f5df591a, 2026-08-21)"
_SNAKE_CASE = "that spelling came with a later version of the app (2d87aae7, 2026-05-18)"
_LATER_AGENT = "that provider came with a later version of the app (seen at f5df591a, 2026-08-21)"

# --- Values -------------------------------------------------------------------------------------------------------

SOURCE_TYPE = Choice(("GitHub", "GitLab", "AzureRepos", "Local"), {"azure_repos": _SNAKE_CASE})
TICKETS_TYPE = Choice(("GitHub", "GitLab", "AzureDevOps", "Jira"), {"azure_devops": _SNAKE_CASE})
AGENT_TYPE = Choice(
    ("Claude", "Anthropic", "OpenAI", "Gemini", "Google"),
    dict.fromkeys(("azure_openai", "azure-openai", "azure", "ollama"), _LATER_AGENT),
)
_NO_GEMINI = "release 0.9.2 stops with `LLM client for provider 'Gemini' is not yet supported.`"
NEWER_AGENT_TYPE = Choice(
    ("Claude", "Anthropic", "OpenAI"),
    {
        **dict.fromkeys(("azure_openai", "azure-openai", "azure"), _LATER_AGENT),
        **dict.fromkeys(("gemini", "google"), _NO_GEMINI),
        "ollama": "release 0.9.2 fails at the second request after a tool call (`The node already has a parent.`)",
    },
)
CACHE_STRATEGIES = ("automatic", "fine-grained", "none")
"""ClaudeAgentProvider knows the first two; any other text switches caching off, `none` says so honestly."""

PROJECT_NAME = re.compile(r"[a-z]([a-z._-]{0,61}[a-z])?")
NOISE_WORDS = ("fix", "resolve", "close", "implement", "add", "update", "ticket", "issue", "in", "for")
"""Words that the agent drops from a chat message (RegexIntentParser): a project of that name is never found."""

PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")
"""`${NAME}`: resolved under `secrets` only, and only where it is the whole value."""

# --- Commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """One step of a pipeline: the commands whose results it takes (CommandContextFactory), and what it does."""

    needs: tuple[str, ...]
    description: str


COMMANDS: dict[str, Command] = {
    "FetchTicketCommand": Command((), "Reads the ticket."),
    "CheckoutSourceCommand": Command((), "Clones the repository and makes the branch."),
    "LoadCodingPrinciplesCommand": Command((), "Reads `coding_principles_path`."),
    "AnalyzeCodeCommand": Command(("CheckoutSourceCommand",), "Lists files, languages and dependencies."),
    "GeneratePlanCommand": Command(
        ("FetchTicketCommand", "AnalyzeCodeCommand", "LoadCodingPrinciplesCommand"), "Asks the model for a plan."
    ),
    "ApprovalCommand": Command(("GeneratePlanCommand",), "Approves the plan: in a Job nobody is asked."),
    "AgenticExecuteCommand": Command(
        ("GeneratePlanCommand", "CheckoutSourceCommand", "LoadCodingPrinciplesCommand"), "Lets the model change files."
    ),
    "TestCommand": Command(("CheckoutSourceCommand", "AgenticExecuteCommand"), "Runs the project's tests."),
    "CommitAndPRCommand": Command(
        ("CheckoutSourceCommand", "AgenticExecuteCommand", "FetchTicketCommand"), "Pushes and opens a pull request."
    ),
}

LATER_COMMANDS: dict[str, str] = {
    **dict.fromkeys(
        (
            "BootstrapProjectCommand",
            "InitCommitCommand",
            "LoadCodeMapCommand",
            "LoadContextCommand",
            "WriteRunResultCommand",
        ),
        "it came with a later version of the app (e618d6e8, 883cdca0, 2026-02-23)",
    ),
    **dict.fromkeys(
        ("GenerateTestsCommand", "GenerateDocsCommand"),
        "it came with a later version of the app (f02267fb, 2026-03-01)",
    ),
}

# --- Records ------------------------------------------------------------------------------------------------------

_AUTH = "providers always use the token of their environment variable"
_TICKETS_READER = "FetchTicketCommand in a Job, `list` in the Dispatcher"

SOURCE = Record(
    "source",
    {
        "type": Key(SOURCE_TYPE, "Where the code is.", source="SourceProviderFactory.Create", required=True),
        "url": Key(
            Text(),
            "Address of the repository, for all types but Local.",
            Reading("types GitHub, GitLab, AzureRepos", source_is("github", "gitlab", "azurerepos"), mention=True),
            "SourceProviderFactory, GitHubSourceProvider.ParseGitHubUrl",
            required=True,
            nullable=True,
        ),
        "path": Key(
            Text(blank=FINE),
            "Directory, for the type Local; useless in a Kubernetes Job.",
            Reading("type Local", source_is("local"), mention=True),
            "LocalSourceProvider",
            required=True,
            nullable=True,
        ),
        "auth": Key(Text(), "Never read.", NOBODY, "SourceProviderFactory", nullable=True, never_read=_AUTH),
    },
    later={"default_branch": f"{_HEAD}; this one opens pull requests against `main`"},
)
TICKETS = Record(
    "tickets",
    {
        "type": Key(TICKETS_TYPE, "Where the tickets are.", source="TicketProviderFactory.Create", required=True),
        "organization": Key(
            Text(empty=FINE, blank=FINE),
            "Name of the Azure DevOps organization.",
            Reading("type AzureDevOps", tickets_are("azuredevops"), mention=True),
            "TicketProviderFactory.CreateAzureDevOps",
            nullable=True,
        ),
        "project": Key(
            Text(empty=FINE, blank=FINE),
            "Azure DevOps project, or path of the GitLab project.",
            Reading("types AzureDevOps, GitLab", tickets_are("azuredevops", "gitlab"), mention=True),
            "TicketProviderFactory.CreateAzureDevOps, CreateGitLab",
            nullable=True,
        ),
        "url": Key(
            Text(),
            "Address of the GitHub repository or of the Jira site.",
            Reading("types GitHub, Jira", tickets_are("github", "jira"), mention=True),
            "TicketProviderFactory.CreateGitHub, CreateJira",
            nullable=True,
        ),
        "auth": Key(Text(), "Never read.", NOBODY, "TicketProviderFactory", nullable=True, never_read=_AUTH),
    },
    later=dict.fromkeys(("open_states", "done_status", "close_transition_name", "extra_fields"), _HEAD),
)
_RETRIES = "ResilientHttpClientFactory"
RETRY = Record(
    "retry",
    {
        "max_retries": Key(
            Integer(1, "with less, the app's retry library (Polly) refuses its options and every `fix` fails"),
            "Attempts after the first.",
            source=f"{_RETRIES}.CreateResiliencePipeline; Polly's RetryStrategyOptions",
            default=5,
        ),
        "initial_delay_ms": Key(
            Integer(), "Wait before the first retry, in ms.", source=f"{_RETRIES}.CalculateDelay", default=2000
        ),
        "backoff_multiplier": Key(
            Real(), "Factor from wait to wait.", source=f"{_RETRIES}.CalculateDelay", default=2.0
        ),
        "max_delay_ms": Key(Integer(), "Longest wait, in ms.", source=f"{_RETRIES}.CalculateDelay", default=60000),
    },
)
CACHE = Record(
    "cache",
    {
        "enabled": Key(
            Flag(), "Prompt caching.", source="ClaudeAgentProvider.ResolveCacheType", default=True, newer="is_enabled"
        ),
        "strategy": Key(
            Text(empty=FINE, blank=FINE, placeholder=FINE),
            "automatic, fine-grained or none.",
            Reading("while caching is on", agent_is("claude", cache=True)),
            "ClaudeAgentProvider.ResolveCacheType",
            default="automatic",
        ),
    },
    later={"is_enabled": _RENAMED},
    newer={
        "is_enabled": Key(Flag(), "Prompt caching.", source="98816d4c", default=True),
    },
)
_WHILE_COMPACTION = Reading("while compaction is on", agent_is("claude", compaction=True))
COMPACTION = Record(
    "compaction",
    {
        "enabled": Key(
            Flag(),
            "Summarise a long conversation.",
            source="AgenticLoop.TryCompactAsync",
            default=True,
            newer="is_enabled",
        ),
        "threshold_iterations": Key(
            Integer(
                1,
                "the app divides by it after the first call of a tool and fails with a DivideByZeroException",
                only_zero=True,
            ),
            "Iterations before the first summary.",
            _WHILE_COMPACTION,
            "AgenticLoop.TryCompactAsync",
            default=8,
        ),
        "max_context_tokens": Key(
            Integer(1), "Size that calls for a summary, in tokens.", NOBODY, "CompactionConfig", default=80000
        ),
        "keep_recent_iterations": Key(
            Integer(), "Iterations left untouched.", _WHILE_COMPACTION, "AgenticLoop.TryCompactAsync", default=3
        ),
        "summary_model": Key(
            Text(null=LATER, empty=LATER, blank=LATER),
            "Model that summarises.",
            Reading("while compaction is on and `models` is absent", agent_is("claude", compaction=True, models=False)),
            "ClaudeAgentProvider.CreateCompactor",
            default="claude-haiku-4-5-20251001",
        ),
    },
    later={"is_enabled": _RENAMED},
    newer={
        "is_enabled": Key(Flag(), "Summarise a long conversation.", source="98816d4c", default=True),
    },
)
_HAIKU, _SONNET = "claude-haiku-4-5-20251001", "claude-sonnet-4-20250514"
_MODEL_TEXT = Text("the name of a model", null=LATER, empty=LATER, blank=LATER)
_REFUSED_TOKENS = "it is sent to the provider, which refuses it"


def _model(tokens: Reading = NOBODY) -> Record:
    """A model for one task; `tokens` says who sends its `max_tokens`."""
    return Record(
        "model assignment",
        {
            "model": Key(_MODEL_TEXT, "Name of the model.", source="ConfigBasedModelRegistry", required=True),
            "max_tokens": Key(
                Integer(1, _REFUSED_TOKENS),
                "Longest answer, in tokens.",
                tokens,
                "ClaudeAgentProvider, ScoutAgent",
                default=8192,
            ),
        },
        later={"deployment": _HEAD, **dict.fromkeys(("provider_type", "endpoint"), "no version of the app reads it")},
    )


MODELS = Record(
    "models",
    {
        "scout": Key(
            _model(Reading("type Claude", agent_is("claude"))),
            "Explores the repository.",
            Reading("type Claude", agent_is("claude")),
            "ClaudeAgentProvider.TryRunScoutAsync",
            default={"model": _HAIKU, "max_tokens": 4096},
        ),
        "primary": Key(
            _model(),
            "Changes the files.",
            Reading("AgenticExecuteCommand", step("AgenticExecuteCommand")),
            "ResolveModel of each agent provider",
            default={"model": _SONNET, "max_tokens": 8192},
        ),
        "planning": Key(
            _model(Reading("types Claude, OpenAI", agent_is("claude", "openai"))),
            "Makes the plan.",
            Reading("GeneratePlanCommand", step("GeneratePlanCommand")),
            "GeneratePlanAsync of each agent provider",
            default={"model": _SONNET, "max_tokens": 4096},
        ),
        "reasoning": Key(
            _model(), "Hard questions; no class asks for it.", NOBODY, "TaskType.Reasoning", nullable=True
        ),
        "summarization": Key(
            _model(),
            "Summarises.",
            Reading("type Claude, while compaction is on", agent_is("claude", compaction=True)),
            "ClaudeAgentProvider.CreateCompactor",
            default={"model": _HAIKU, "max_tokens": 2048},
        ),
    },
    later=dict.fromkeys(("context_generation", "code_map_generation"), _NEWER),
    newer={
        "context_generation": Key(
            _model(ALWAYS),
            "Describes the repository in `.agentsmith/`.",
            source="fbc0eb90, 5d619c0b",
            default={"model": _HAIKU, "max_tokens": 3072},
        ),
        "code_map_generation": Key(
            _model(),
            "Makes the map of the code; if that fails, the app goes on without.",
            Reading("the code map, without which the app goes on", lambda _: False),
            "fbc0eb90, 5d619c0b",
            nullable=True,
            default={"model": _HAIKU, "max_tokens": 4096},
        ),
    },
)
MODEL_PRICE = Record(
    "price",
    {
        "input_per_million": Key(Price(), "USD per million input tokens.", source="CostTracker", default=0),
        "output_per_million": Key(Price(), "USD per million output tokens.", source="CostTracker", default=0),
        "cache_read_per_million": Key(
            Price(), "USD per million tokens read from the cache.", source="CostTracker", default=0
        ),
    },
)
_EXECUTES = Reading("AgenticExecuteCommand", step("AgenticExecuteCommand"))
PRICING = Record(
    "pricing", {"models": Key(MapOf(MODEL_PRICE), "Model name to price.", source="CostTracker", default={})}
)
AGENT = Record(
    "agent",
    {
        "type": Key(
            AGENT_TYPE,
            "Provider of the model.",
            source="AgentProviderFactory.Create",
            required=True,
            newer=Key(
                NEWER_AGENT_TYPE,
                "Provider of the model.",
                source="5d619c0b",
                required=True,
                null_counts_as="Claude",
            ),
        ),
        "model": Key(
            _MODEL_TEXT,
            "Model for everything, unless `models` is set.",
            Reading("without `models`", agent_is(*EVERY_AGENT, models=False)),
            "ResolveModel of each agent provider",
            required=True,
            default="",
        ),
        "retry": Key(
            RETRY,
            "Retries of requests to the model; not read for Gemini.",
            Reading("types Claude, OpenAI", agent_is("claude", "openai"), mention=True),
            "ResilientHttpClientFactory",
        ),
        "cache": Key(
            CACHE,
            "Prompt caching; read for Claude only.",
            Reading("type Claude", agent_is("claude"), mention=True),
            "ClaudeAgentProvider.ResolveCacheType",
        ),
        "compaction": Key(
            COMPACTION,
            "Summaries of long conversations; read for Claude only.",
            Reading("type Claude", agent_is("claude"), mention=True),
            "ClaudeAgentProvider.CreateCompactor",
        ),
        "models": Key(MODELS, "A model for each task.", source="AgentProviderFactory", nullable=True),
        "pricing": Key(PRICING, "Prices; with none, the app reports no cost.", _EXECUTES, "CostTracker"),
    },
    later={
        **dict.fromkeys(("parallelism", "api_version", "deployment"), _HEAD),
        **dict.fromkeys(("endpoint", "api_key_secret"), _NEWER),
    },
    newer={
        "endpoint": Key(
            Text(),
            "Address of a server that speaks OpenAI's protocol.",
            Reading("type OpenAI", agent_is("openai"), mention=True),
            "596fb8a7, 7ac8d3f5",
            nullable=True,
        ),
        "api_key_secret": Key(
            Text("the name of an environment variable"),
            "Environment variable that holds the key.",
            Reading("type OpenAI", agent_is("openai"), mention=True),
            "596fb8a7, 7ac8d3f5",
            nullable=True,
            default="OPENAI_API_KEY",
        ),
    },
)
DEFAULT_CODING_PRINCIPLES = "config/coding-principles.md"
IMAGE_FILES = ("config/coding-principles.md", "config/agentsmith.yml")
"""What the agent image has under /app that a path can name."""
PROJECT = Record(
    "project",
    {
        "source": Key(
            SOURCE,
            "The repository.",
            Reading(
                "CheckoutSourceCommand, CommitAndPRCommand",
                lambda usage: bool(usage.steps & {"CheckoutSourceCommand", "CommitAndPRCommand"}),
            ),
            "CommandContextFactory",
            required=True,
        ),
        "tickets": Key(
            TICKETS,
            "The ticket system.",
            Reading(_TICKETS_READER, lambda _: True),
            "CommandContextFactory",
            required=True,
        ),
        "agent": Key(
            AGENT,
            "The model.",
            Reading(
                "GeneratePlanCommand, AgenticExecuteCommand",
                lambda usage: bool(usage.steps & {"GeneratePlanCommand", "AgenticExecuteCommand"}),
            ),
            "CommandContextFactory",
            required=True,
            newer=Key(AGENT, "The model.", source="fbc0eb90", required=True),
        ),
        "pipeline": Key(
            Text("the name of a pipeline", empty=FINE, blank=FINE, placeholder=FINE),
            "Name of an entry of `pipelines`.",
            source="ProcessTicketUseCase",
            required=True,
            newer=Key(
                Text("the name of a preset", empty=FINE, blank=FINE, placeholder=FINE),
                "Name of a preset, in any case.",
                source="c8bcd019",
                required=True,
                null_counts_as="fix-bug",
            ),
        ),
        "coding_principles_path": Key(
            Text(empty=FINE, blank=FINE, placeholder=FINE),
            "File in the agent image, relative to /app.",
            Reading("LoadCodingPrinciplesCommand", step("LoadCodingPrinciplesCommand")),
            "LoadCodingPrinciplesHandler",
            nullable=True,
            default=DEFAULT_CODING_PRINCIPLES,
            newer=Key(
                Text(blank=FINE, placeholder=FINE),
                "File in the repository.",
                Reading("LoadDomainRules of the presets", step("LoadCodingPrinciplesCommand")),
                "514c326f",
                nullable=True,
                default=".agentsmith/coding-principles.md",
            ),
        ),
    },
    later={
        **dict.fromkeys(("tracker", "repos"), f"{_CATALOG}; this one reads `source` and `tickets` of the project"),
        **dict.fromkeys(("github_trigger", "gitlab_trigger", "azuredevops_trigger", "jira_trigger"), _HEAD),
        "skills_path": _NEWER,
    },
    newer={
        "skills_path": Key(
            Text(empty=FINE, blank=FINE, placeholder=FINE),
            "Folder of skills, relative to the file's own; it need not exist.",
            source="d56f0345",
            default="skills/coding",
        )
    },
)
PIPELINE = Record(
    "pipeline",
    {
        "commands": Key(
            ListOf(Text("the name of a command")),
            "Steps, in order.",
            source="PipelineExecutor, CommandContextFactory",
            required=True,
        )
    },
)
SECRETS = MapOf(Text("`${NAME}`", empty=FINE, blank=FINE))
ROOT = Record(
    "document",
    {
        "projects": Key(
            MapOf(PROJECT), "What people can name in chat.", source="YamlConfigurationLoader", required=True
        ),
        "pipelines": Key(
            MapOf(PIPELINE),
            "Lists of commands.",
            Reading("`pipelines[project.pipeline]` alone", lambda _: True),
            "ProcessTicketUseCase",
            required=True,
            newer=GONE,
        ),
        "secrets": Key(
            SECRETS,
            "Names of environment variables, `${NAME}`; nothing reads them.",
            Reading("resolved while the file is loaded, then read by nobody", lambda _: True),
            "YamlConfigurationLoader",
            default={},
        ),
    },
    later={
        **dict.fromkeys(("agents", "repos", "trackers", "pipeline_triggers"), _CATALOG),
        **dict.fromkeys(("connections", "deployment"), f"it {_CONNECTIONS}"),
        "persistence": f"it {_PERSISTENCE}",
        **dict.fromkeys(
            (
                "dialogue",
                "limits",
                "orchestrator",
                "pipeline_cost_cap",
                "pipeline_data_flow",
                "pipeline_storage",
                "primary_provider",
                "queue",
                "registries",
                "sandbox",
                "skills",
            ),
            f"it {_HEAD}",
        ),
        "tool_runner": "only release 0.9.2 reads it, for scans, which nobody can start from chat",
    },
)

# --- Providers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provider:
    """What one type of source or tickets needs.

    Attributes:
        required: keys beside `type` that it cannot work without.
        secrets: keys of the Kubernetes Secret that it reads (through an environment variable).
        variables: keys of `required` that the app takes from an environment variable if they are left out, with that
            variable and what sets it in the Dispatcher.
    """

    required: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    variables: dict[str, tuple[str, str]] = field(default_factory=dict)


SOURCE_PROVIDERS: dict[str, Provider] = {
    "github": Provider(("url",), ("github-token",)),
    "gitlab": Provider(("url",), ("gitlab-token",)),
    "azurerepos": Provider(("url",), ("azure-devops-token",)),
    "local": Provider(("path",)),
}
TICKETS_PROVIDERS: dict[str, Provider] = {
    "github": Provider(("url",), ("github-token",)),
    "gitlab": Provider(("project",), ("gitlab-token",), {"project": ("GITLAB_PROJECT", "dispatcher_extra_env")}),
    "azuredevops": Provider(("organization", "project"), ("azure-devops-token",)),
    "jira": Provider(("url",), ("jira-email", "jira-token"), {"url": ("JIRA_URL", "dispatcher_jira_url")}),
}


@dataclass(frozen=True)
class AgentProvider:
    """A class that talks to models, by the name that conditions use, and the key of the Secret that it needs."""

    name: str
    secret: str


_CLAUDE = AgentProvider("claude", "anthropic-api-key")
_GEMINI = AgentProvider("gemini", "gemini-api-key")
AGENT_PROVIDERS: dict[str, AgentProvider] = {
    "claude": _CLAUDE,
    "anthropic": _CLAUDE,
    "openai": AgentProvider("openai", "openai-api-key"),
    "gemini": _GEMINI,
    "google": _GEMINI,
}


@dataclass(frozen=True)
class SecretKey:
    """A key of the Kubernetes Secret: its environment variable, and whether spawned Jobs get it.

    KubernetesJobSpawner (79b52441) names the keys that a Job gets; GitLab and Jira came with b5dda921 (v0.48.0).
    """

    variable: str
    reaches_jobs: bool = True


SECRET_KEYS: dict[str, SecretKey] = {
    "anthropic-api-key": SecretKey("ANTHROPIC_API_KEY"),
    "openai-api-key": SecretKey("OPENAI_API_KEY"),
    "gemini-api-key": SecretKey("GEMINI_API_KEY"),
    "github-token": SecretKey("GITHUB_TOKEN"),
    "azure-devops-token": SecretKey("AZURE_DEVOPS_TOKEN"),
    "gitlab-token": SecretKey("GITLAB_TOKEN", reaches_jobs=False),
    "jira-email": SecretKey("JIRA_EMAIL", reaches_jobs=False),
    "jira-token": SecretKey("JIRA_TOKEN", reaches_jobs=False),
}
# What a Job gets of the Secret: by the environment variable, the key
JOB_VARIABLES = {secret.variable: key for key, secret in SECRET_KEYS.items() if secret.reaches_jobs} | {
    "REDIS_URL": "redis-url"
}
