# SPDX-License-Identifier: GPL-3.0-or-later
"""The check stands in every deploy, whose time is short."""

from __future__ import annotations

import time

import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import check

# Times what libyaml takes to read the text; a limit in seconds would judge the machine. Seen: 2.3, with aliases 4.1
TIMES_READING = 5
TIMES_READING_ALIASES = 12
PROJECTS = [f"project-{first}{second}" for first in "abcdefghijklmnopqrst" for second in "abcdefghij"]


def large_config() -> str:
    """200 projects in the long form, some 50 lines each."""
    agent = {
        "type": "Claude",
        "retry": {"max_retries": 5, "initial_delay_ms": 2000, "backoff_multiplier": 2.0, "max_delay_ms": 60000},
        "cache": {"enabled": True, "strategy": "automatic"},
        "compaction": {"enabled": True, "threshold_iterations": 8, "max_context_tokens": 80000},
        "models": {
            role: {"model": "m", "max_tokens": 4096} for role in ("scout", "primary", "planning", "summarization")
        },
        "pricing": {"models": {"m": {"input_per_million": 3.0, "output_per_million": 15.0}}},
    }
    projects = {
        name: {
            "source": {"type": "GitHub", "url": f"https://github.com/acme/{name}", "auth": "token"},
            "tickets": {"type": "GitHub", "url": f"https://github.com/acme/{name}", "auth": "token"},
            "agent": agent,
            "pipeline": "fix-bug",
            "pricing": {"models": {}},
        }
        for name in PROJECTS
    }

    class WithoutAliases(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature of PyYAML
            return True

    config = {"projects": projects, "pipelines": {"fix-bug": {"commands": ["FetchTicketCommand"]}}}
    return yaml.dump(config, Dumper=WithoutAliases)


def times_reading(text: str, source: object, number_of_findings: int) -> float:
    """Processor time of a check, as a multiple of what libyaml takes for the same text; the best of three pairs."""
    pairs = []
    for _ in range(3):
        start = time.process_time()
        yaml.load(text, yaml.CSafeLoader)
        read = time.process_time()
        assert len(check(source)) == number_of_findings
        pairs.append((time.process_time() - read) / (read - start))
    return min(pairs)


def test_a_check_of_200_projects_takes_little_more_than_reading_them() -> None:
    text = large_config()
    assert len(PROJECTS) == 200
    assert len(text.splitlines()) > 8000
    for source in (text, yaml.safe_load(text)):
        # Per project: auth twice, pricing at the wrong place
        assert times_reading(text, source, number_of_findings=600) < TIMES_READING


def test_many_projects_that_alias_one_are_checked_once() -> None:
    """Who checks each of 5,000 projects with its 5,000 prices takes a hundred times what reading takes."""
    prices = "".join(f"            m{n}: {{input_per_million: 1}}\n" for n in range(5000))
    project = (
        "  a: &project\n    source: {type: x}\n    tickets: {type: x}\n    pipeline: nothing\n"
        f"    agent:\n      type: Claude\n      model: m\n      pricing:\n        models:\n{prices}"
    )
    aliases = "".join(f"  p{n}: *project\n" for n in range(5000))
    pipelines = "".join(f"  pipe-{n}: {{commands: [TestComand]}}\n" for n in range(2000))
    text = f"projects:\n{project}{aliases}pipelines:\n{pipelines}"
    assert times_reading(text, text, number_of_findings=7004) < TIMES_READING_ALIASES
