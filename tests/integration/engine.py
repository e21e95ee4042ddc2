# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which tests run the engine; conftest.py provides them as fixtures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

# In the process of the test: apply(objects, options=None, **settings) -> result
Apply = Callable[..., dict[str, Any]]
# By ansible-playbook: play(objects, task_options, *flags, action="apply", **play_keywords)
Play = Callable[..., subprocess.CompletedProcess[str]]
# Any play by ansible-playbook: run_play(keywords, variables, *flags)
RunPlay = Callable[..., subprocess.CompletedProcess[str]]
