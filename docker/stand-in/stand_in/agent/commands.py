# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that a pipeline can have, and what each needs from those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """What the app knows about a command. `needs` and `gives` are keys of the pipeline's context."""

    label: str
    needs: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


COMMANDS: Mapping[str, Command] = {
    "FetchTicketCommand": Command("Fetching ticket", gives=("Ticket",)),
    "CheckoutSourceCommand": Command("Checking out source", gives=("Repository",)),
    "LoadCodingPrinciplesCommand": Command("Loading coding principles", gives=("CodingPrinciples",)),
    "AnalyzeCodeCommand": Command("Analyzing codebase", ("Repository",), ("CodeAnalysis",)),
    "GeneratePlanCommand": Command("Generating plan", ("Ticket", "CodeAnalysis", "CodingPrinciples"), ("Plan",)),
    "ApprovalCommand": Command("Awaiting approval", ("Plan",)),
    "AgenticExecuteCommand": Command("Executing plan", ("Plan", "Repository", "CodingPrinciples"), ("CodeChanges",)),
    "TestCommand": Command("Running tests", ("Repository", "CodeChanges")),
    "CommitAndPRCommand": Command("Creating pull request", ("Repository", "CodeChanges", "Ticket")),
}
# They have a label and nothing behind it.
LABELS_ALONE = {"GenerateTestsCommand": "Generating tests", "GenerateDocsCommand": "Generating docs"}
