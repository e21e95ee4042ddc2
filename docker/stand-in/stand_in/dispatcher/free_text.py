# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a text that the grammar does not understand: the app asks a language model, the stand-in has none."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stand_in.app_version import AppVersion


class FreeText:
    """Fails as the app does whose language model gives no answer."""

    def __init__(self, version: AppVersion, environment: Mapping[str, str]) -> None:
        self._model = version.language_model
        # A version that insists on the variable asks with an empty key too, and is refused.
        self._is_asked = version.needs_anthropic_key or bool(environment.get("ANTHROPIC_API_KEY"))
        self._log = logging.getLogger(
            f"AgentSmith.Dispatcher.Services.{version.language_model.capitalize()}IntentParser"
        )

    def ask(self, text: str) -> None:
        """Log that there was no answer, if anybody would have been asked."""
        if self._is_asked:
            self._log.warning(
                "%s intent parsing failed for '%s'\nThe stand-in has no language model.", self._model, text
            )
