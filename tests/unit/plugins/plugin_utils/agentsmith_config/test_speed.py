# SPDX-License-Identifier: GPL-3.0-or-later
"""The check stands in every deploy, whose time is short."""

from __future__ import annotations

import time

import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import check

SECONDS = 0.5
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


def test_200_projects_take_less_than_half_a_second() -> None:
    text = large_config()
    data = yaml.safe_load(text)
    assert len(PROJECTS) == 200
    assert len(text.splitlines()) > 8000
    for source in (text, data):
        start = time.process_time()
        findings = check(source)
        took = time.process_time() - start
        assert len(findings) == 600  # per project: auth twice, pricing at the wrong place
        assert took < SECONDS, f"{took:.2f} s"
