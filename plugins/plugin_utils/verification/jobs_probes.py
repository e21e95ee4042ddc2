# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs are looked at."""

from __future__ import annotations

from datetime import UTC, datetime

from . import jobs
from .outcome import Outcome
from .probe import Asked, Probe


def job_ttl(asked: Asked) -> list[Outcome]:
    """Look at the Jobs."""
    return [jobs.check_job_ttl("job_ttl", asked.target.read_jobs(), datetime.now(UTC))]


PROBES = (Probe(("job_ttl",), "jobs", job_ttl),)
