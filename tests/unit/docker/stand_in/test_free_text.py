# SPDX-License-Identifier: GPL-3.0-or-later
"""When the log says that a language model gave no answer, and under which name."""

from __future__ import annotations

import pytest
from stand_in.app_version import app_version
from stand_in.dispatcher.free_text import FreeText

CATEGORY = "AgentSmith.Dispatcher.Services."


@pytest.mark.parametrize(
    ("app", "environment", "logged"),
    [
        ("be4bffa1", {}, []),
        ("be4bffa1", {"ANTHROPIC_API_KEY": ""}, []),
        ("be4bffa1", {"ANTHROPIC_API_KEY": "key"}, [("HaikuIntentParser", "Haiku")]),
        ("0.9.2", {"ANTHROPIC_API_KEY": ""}, [("LlmIntentParser", "LLM")]),
        ("0.9.2", {"ANTHROPIC_API_KEY": "key"}, [("LlmIntentParser", "LLM")]),
    ],
)
def test_a_question_to_the_language_model(
    app: str, environment: dict[str, str], logged: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    FreeText(app_version({"STAND_IN_APP": app}), environment).ask("a text")
    assert [(record.name, record.levelname) for record in caplog.records] == [
        (CATEGORY + parser, "WARNING") for parser, _name in logged
    ]
    for record, (_parser, name) in zip(caplog.records, logged, strict=True):
        assert record.getMessage().startswith(f"{name} intent parsing failed for 'a text'")
