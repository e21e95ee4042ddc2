# SPDX-License-Identifier: GPL-3.0-or-later
"""rollback.yml loads no role, so the time to wait for Jobs has its default twice: it is the same."""

from __future__ import annotations

from pathlib import Path

import yaml

CHECKOUT = Path(__file__).parents[3]


def test_a_rollback_waits_for_jobs_as_long_as_a_deploy() -> None:
    of_role = yaml.safe_load((CHECKOUT / "roles/dispatcher/defaults/main.yml").read_text())["dispatcher_drain_timeout"]
    of_playbooks = yaml.safe_load((CHECKOUT / "playbooks/vars/release.yml").read_text())["release_drain"]["timeout"]
    assert of_playbooks == f"{{{{ dispatcher_drain_timeout | default({of_role}) }}}}"
