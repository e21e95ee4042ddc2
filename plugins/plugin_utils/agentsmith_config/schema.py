# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of `agentsmith.yml` at Phase 19 of the app, as tables.

Derived from the app's classes (`src/AgentSmith.Contracts/Configuration/*.cs` at 79b52441, 2026-02-20); upstream has no
schema for them. The check and the JSON Schema both read these tables. Commits named here are the app's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """A string. Any scalar is one."""

    noun: str = "text"
    may_be_empty: bool = False


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
    """A C# int."""

    minimum: int = 0
    noun: str = "a whole number of 32 bit"


@dataclass(frozen=True)
class Real:
    """A C# double."""

    minimum: float = 0
    noun: str = "a number with a decimal point"


@dataclass(frozen=True)
class Price:
    """A C# decimal, in USD per million tokens."""

    minimum: int = 0
    noun: str = "a price with a decimal point and no exponent"


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
        required: the app cannot work without it.
        nullable: an explicit null means the same as leaving the key out (a nullable C# property).
        default: what the app takes when the key is left out.
        never_read: why the app ignores this key although its class has it.
    """

    kind: Any
    description: str
    required: bool = False
    nullable: bool = False
    default: Any = None
    never_read: str | None = None


@dataclass(frozen=True)
class Record:
    """A mapping with fixed keys. `later`: keys of a later version of the app, with what to say about them."""

    name: str
    keys: dict[str, Key]
    later: dict[str, str] = field(default_factory=dict)
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


# --- Later versions of the app ------------------------------------------------------------------------------------

_RENAMED = "`is_enabled` came with a later version of the app (98816d4c, 2026-02-22); this one reads `enabled`"
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
    "ApprovalCommand": Command(("GeneratePlanCommand",), "Asks in Slack; no answer within 5 minutes is a yes."),
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

SOURCE = Record(
    "source",
    {
        "type": Key(SOURCE_TYPE, "Where the code is.", required=True),
        "url": Key(Text(), "Address of the repository, for all types but Local.", nullable=True),
        "path": Key(Text(), "Directory, for the type Local; useless in a Kubernetes Job.", nullable=True),
        "auth": Key(Text(), "Never read.", nullable=True, never_read=_AUTH),
    },
    later={"default_branch": f"{_HEAD}; this one opens pull requests against `main`"},
)
TICKETS = Record(
    "tickets",
    {
        "type": Key(TICKETS_TYPE, "Where the tickets are.", required=True),
        "organization": Key(Text(), "Name of the Azure DevOps organization.", nullable=True),
        "project": Key(Text(), "Azure DevOps project, or path of the GitLab project.", nullable=True),
        "url": Key(Text(), "Address of the GitHub repository or of the Jira site.", nullable=True),
        "auth": Key(Text(), "Never read.", nullable=True, never_read=_AUTH),
    },
    later=dict.fromkeys(("open_states", "done_status", "close_transition_name", "extra_fields"), _HEAD),
)
RETRY = Record(
    "retry",
    {
        "max_retries": Key(Integer(), "Attempts after the first.", default=5),
        "initial_delay_ms": Key(Integer(), "Wait before the first retry, in ms.", default=2000),
        "backoff_multiplier": Key(Real(), "Factor from wait to wait.", default=2.0),
        "max_delay_ms": Key(Integer(), "Longest wait, in ms.", default=60000),
    },
)
CACHE = Record(
    "cache",
    {
        "enabled": Key(Flag(), "Prompt caching.", default=True),
        "strategy": Key(Text(), "automatic, fine-grained or none.", default="automatic"),
    },
    later={"is_enabled": _RENAMED},
)
COMPACTION = Record(
    "compaction",
    {
        "enabled": Key(Flag(), "Summarise a long conversation.", default=True),
        "threshold_iterations": Key(Integer(1), "Iterations before the first summary.", default=8),
        "max_context_tokens": Key(Integer(1), "Size that calls for a summary, in tokens.", default=80000),
        "keep_recent_iterations": Key(Integer(), "Iterations left untouched.", default=3),
        "summary_model": Key(Text(), "Model that summarises.", default="claude-haiku-4-5-20251001"),
    },
    later={"is_enabled": _RENAMED},
)
MODEL = Record(
    "model assignment",
    {
        "model": Key(Text(), "Name of the model.", required=True),
        "max_tokens": Key(Integer(1), "Longest answer, in tokens.", default=8192),
    },
    later={"deployment": _HEAD},
)
_HAIKU, _SONNET = "claude-haiku-4-5-20251001", "claude-sonnet-4-20250514"
MODELS = Record(
    "models",
    {
        "scout": Key(MODEL, "Explores the repository.", default={"model": _HAIKU, "max_tokens": 4096}),
        "primary": Key(MODEL, "Changes the files.", default={"model": _SONNET, "max_tokens": 8192}),
        "planning": Key(MODEL, "Makes the plan.", default={"model": _SONNET, "max_tokens": 4096}),
        "reasoning": Key(MODEL, "Hard questions; falls back to `primary`.", nullable=True),
        "summarization": Key(MODEL, "Summarises.", default={"model": _HAIKU, "max_tokens": 2048}),
    },
)
MODEL_PRICE = Record(
    "price",
    {
        "input_per_million": Key(Price(), "USD per million input tokens.", default=0),
        "output_per_million": Key(Price(), "USD per million output tokens.", default=0),
        "cache_read_per_million": Key(Price(), "USD per million tokens read from the cache.", default=0),
    },
)
PRICING = Record("pricing", {"models": Key(MapOf(MODEL_PRICE), "Model name to price.", default={})})
AGENT = Record(
    "agent",
    {
        "type": Key(AGENT_TYPE, "Provider of the model.", required=True),
        "model": Key(Text(may_be_empty=True), "Model for everything, unless `models` is set.", default=""),
        "retry": Key(RETRY, "Retries of requests to the model; not read for Gemini."),
        "cache": Key(CACHE, "Prompt caching; read for Claude only."),
        "compaction": Key(COMPACTION, "Summaries of long conversations; read for Claude only."),
        "models": Key(MODELS, "A model for each task.", nullable=True),
        "pricing": Key(PRICING, "Prices; with none, the app reports no cost."),
    },
    later=dict.fromkeys(("parallelism", "endpoint", "api_version", "deployment", "api_key_secret"), _HEAD),
)
DEFAULT_CODING_PRINCIPLES = "config/coding-principles.md"
PROJECT = Record(
    "project",
    {
        "source": Key(SOURCE, "The repository.", required=True),
        "tickets": Key(TICKETS, "The ticket system.", required=True),
        "agent": Key(AGENT, "The model.", required=True),
        "pipeline": Key(Text(), "Name of an entry of `pipelines`.", required=True),
        "coding_principles_path": Key(
            Text(), "File in the agent image, relative to /app.", nullable=True, default=DEFAULT_CODING_PRINCIPLES
        ),
    },
    later={
        **dict.fromkeys(("tracker", "repos"), f"{_CATALOG}; this one reads `source` and `tickets` of the project"),
        **dict.fromkeys(("github_trigger", "gitlab_trigger", "azuredevops_trigger", "jira_trigger"), _HEAD),
        "skills_path": _HEAD,
    },
)
PIPELINE = Record(
    "pipeline",
    {"commands": Key(ListOf(Text("the name of a command")), "Steps, in order.", required=True)},
)
SECRETS = MapOf(Text("`${NAME}`", may_be_empty=True))
ROOT = Record(
    "document",
    {
        "projects": Key(MapOf(PROJECT), "What people can name in chat.", required=True),
        "pipelines": Key(MapOf(PIPELINE), "Lists of commands.", required=True),
        "secrets": Key(SECRETS, "Names of environment variables, `${NAME}`; nothing reads them.", default={}),
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
                "tool_runner",
            ),
            f"it {_HEAD}",
        ),
    },
)

# --- Providers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provider:
    """What one type of source or tickets needs.

    Attributes:
        required: keys beside `type` that it cannot work without.
        secrets: keys of the Kubernetes Secret that it reads (through an environment variable).
        variables: keys of `required` that the app takes from an environment variable where they are left out.
    """

    required: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


SOURCE_PROVIDERS: dict[str, Provider] = {
    "github": Provider(("url",), ("github-token",)),
    "gitlab": Provider(("url",), ("gitlab-token",)),
    "azurerepos": Provider(("url",), ("azure-devops-token",)),
    "local": Provider(("path",)),
}
TICKETS_PROVIDERS: dict[str, Provider] = {
    "github": Provider(("url",), ("github-token",)),
    "gitlab": Provider(("project",), ("gitlab-token",), {"project": "GITLAB_PROJECT"}),
    "azuredevops": Provider(("organization", "project"), ("azure-devops-token",)),
    "jira": Provider(("url",), ("jira-email", "jira-token"), {"url": "JIRA_URL"}),
}


@dataclass(frozen=True)
class AgentProvider:
    """Secret key of one type of agent, and the keys under `agent` that its provider never looks at."""

    secret: str
    ignores: tuple[str, ...] = ()


_CLAUDE = AgentProvider("anthropic-api-key")
_GEMINI = AgentProvider("gemini-api-key", ignores=("retry", "cache", "compaction"))
AGENT_PROVIDERS: dict[str, AgentProvider] = {
    "claude": _CLAUDE,
    "anthropic": _CLAUDE,
    "openai": AgentProvider("openai-api-key", ignores=("cache", "compaction")),
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
