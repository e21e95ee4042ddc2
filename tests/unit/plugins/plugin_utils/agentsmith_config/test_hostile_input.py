# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever it reads, the check answers with findings, soon, and never raises."""

from __future__ import annotations

import datetime
import string
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config import document, schema
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import check, examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.finding import Finding
from hypothesis import example, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
VALID = (HERE / "valid" / "every-key.yml").read_text()
CORPUS = [
    file.read_text() for folder in ("invalid", "valid", "warning") for file in sorted((HERE / folder).glob("*.yml"))
]
# On any machine: who walks through all aliases of a bomb comes to no end
SECONDS_OF_A_BOMB = 10.0

PROPERTY = settings(max_examples=300, database=None, derandomize=True)


def only_finding(source: object) -> Finding:
    (finding,) = check(source)
    assert finding.severity == "error"
    return finding


@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["with BOM", "without"])
def test_a_byte_order_mark_does_not_matter(mark: str) -> None:
    assert check((mark + VALID).encode()) == []
    assert check(mark + VALID) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(encoding: str) -> None:
    finding = only_finding(VALID.encode(encoding))
    assert finding.code in ("encoding", "yaml")
    assert finding.line == 1


def test_bytes_that_are_not_utf8_are_named_with_line_and_column() -> None:
    finding = only_finding("projects:\n  käse: {}\n".encode("latin-1"))
    assert (finding.code, finding.line, finding.column) == ("encoding", 2, 4)
    assert "0xe4" in finding.message


@pytest.mark.parametrize("character", ["\x07", "\x1b", "\x7f", "\ufffe"])
def test_control_characters_that_the_app_reads_deserve_a_word(character: str) -> None:
    """libyaml reads none of them, and the rest of the file is checked all the same."""
    assert [f.code for f in check(VALID + f"# a{character}b\n")] == ["control_character"]
    found = check(f"projects:\n  a{character}: x\n")
    (word,) = (finding for finding in found if finding.severity == "warning")
    assert (word.severity, word.code, word.line, word.column) == ("warning", "control_character", 2, 4)
    assert f"U+{ord(character):04X}" in word.message
    assert len(found) > 1


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_characters_that_yaml_forbids_are_named(character: str) -> None:
    finding = only_finding(f"projects:\n  a{character}: x\n")
    assert (finding.code, finding.line, finding.column) == ("yaml", 2, 4)
    assert f"U+{ord(character):04X}" in finding.message


@pytest.mark.parametrize("source", ["", b"", "\n\n", "# nothing\n", "---\n...\n", "\ufeff"])
def test_empty_text(source: str | bytes) -> None:
    assert only_finding(source).code in ("empty", "null")


def test_what_does_not_fit_into_a_config_map() -> None:
    source = VALID + "#" * document.MAX_BYTES
    assert only_finding(source).code == "too_large"
    assert only_finding(source.encode()).code == "too_large"
    assert "1 MiB" in only_finding("ä" * document.MAX_BYTES).message


def test_too_many_values() -> None:
    assert only_finding(f"[{'a,' * document.MAX_NODES}]").code == "too_large"
    assert only_finding(["a"] * document.MAX_NODES).code == "too_large"


def nested(depth: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(depth):
        data = {"a": data}
    return data


def test_deep_nesting_ends_with_a_finding() -> None:
    assert only_finding("[" * 100_000).code == "too_deep"
    assert only_finding("".join(f"{' ' * level}a:\n" for level in range(1000))).code == "too_deep"
    assert only_finding(nested(document.MAX_DEPTH + 1)).code == "too_deep"


def test_data_that_contains_itself() -> None:
    data: dict[str, Any] = {"projects": {}}
    data["projects"]["api"] = [data]
    assert "contains itself" in only_finding(data).message


def test_alias_bombs_cost_no_more_than_their_text() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    shared: list[Any] = ["x"]
    for _ in range(30):
        shared = [shared] * 10
    start = time.process_time()
    findings = check("\n".join([*lines, "projects: *a29", "pipelines: *a29"]))
    assert {finding.code for finding in findings} == {"ignored", "alias"}
    assert only_finding({"a": shared}).code == "too_large"
    assert time.process_time() - start < SECONDS_OF_A_BOMB


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({1, 2}, "a value of the type set"),
        (b"bytes", "a value of the type bytes"),
        (object(), "a value of the type object"),
        (10**5000, "a number of thousands of digits"),
    ],
    ids=["set", "bytes", "object", "huge number"],
)
def test_objects_that_yaml_cannot_hold(value: object, part: str) -> None:
    data = yaml.safe_load(VALID)
    data["projects"]["api"]["pipeline"] = value
    finding = only_finding(data)
    assert (finding.code, finding.path) == ("type", "projects.api.pipeline")
    assert part in finding.message


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**30, -1, True, datetime.date(2026, 2, 20), "five", [], {}]
)
def test_numbers_that_are_none(value: object) -> None:
    data = yaml.safe_load(VALID)
    data["projects"]["api"]["agent"]["retry"]["max_retries"] = value
    findings = check(data)
    assert "error" in {finding.severity for finding in findings}
    assert {finding.path for finding in findings} == {"projects.api.agent.retry.max_retries"}


@pytest.mark.parametrize("key", [1, 1.5, (1, 2), datetime.date(2026, 2, 20), "a b", "", "\n"])
def test_keys_that_are_no_project_names(key: object) -> None:
    data = yaml.safe_load(VALID)
    data["projects"][key] = data["projects"]["api"]
    assert {finding.severity for finding in check(data)} == {"error"}


TOKENS = (
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "glpat-0123456789abcdefghij",
    "sk-ant-api03-0123456789abcdefghij",
    "xoxb-0123456789-abcdefghij",
)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "place",
    [
        "projects.api.source.type",
        "projects.api.source.url",
        "projects.api.source.auth",
        "projects.api.agent.retry.max_retries",
        "projects.api.pipeline",
        "projects.api.token",
        "pipelines.fix-bug.commands",
        "secrets.github_token",
        "projects",
        "token",
    ],
)
def test_no_finding_repeats_a_token(place: str, token: str) -> None:
    for value in (token, [token], {token: token}, f"https://user:{token}@github.com/acme/api"):
        data = yaml.safe_load(VALID)
        *parents, last = place.split(".")
        inner = data
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
        for source in (data, yaml.safe_dump(data)):
            findings = check(source)
            assert findings
            assert not any(token in str(finding) for finding in findings), findings


def test_a_password_in_an_address_is_not_repeated() -> None:
    findings = check(VALID.replace("https://github.com/acme/api.git", "https://someone:hunter2@github.com/acme/api"))
    assert [finding.code for finding in findings] == ["secret_in_clear"]
    assert "hunter2" not in str(findings[0])


# --- Properties ---------------------------------------------------------------------------------------------------


def assert_sound(source: object) -> None:
    report = examine(source)
    for finding in report.findings:
        assert finding.severity in ("error", "policy", "warning")
        assert finding.message
        # A finding is one line of output, in any terminal.
        assert str(finding).isprintable(), finding
        if isinstance(source, str | bytes):
            assert finding.line is not None and finding.line >= 1, finding
    assert report.required_secrets is not None


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.dates(),
    st.sampled_from(["${X}", "<<", "~", "5", "GitHub", "Claude", "jira", "https://github.com/a/b", "fix-bug"]),
    st.builds(lambda digits: 10**digits, st.integers(1000, 5000)),
    st.sampled_from([*schema.COMMANDS, *schema.LATER_COMMANDS]),
)
keys = st.one_of(st.text(max_size=8), st.integers(), st.none(), st.booleans(), st.tuples(st.integers()))
data = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)


def of_kind(kind: Any) -> st.SearchStrategy[Any]:
    """Values that come close enough to what a key wants to reach the rules behind its type."""
    if isinstance(kind, schema.Record):
        wanted = {name: of_kind(key.kind) for name, key in kind.keys.items()}
        value = st.fixed_dictionaries({}, optional=wanted) | st.fixed_dictionaries(wanted)
    elif isinstance(kind, schema.MapOf):
        value = st.dictionaries(
            st.sampled_from(["api", "fix-bug", "Api2", "in"]) | st.text(), of_kind(kind.item), max_size=3
        )
    elif isinstance(kind, schema.ListOf):
        value = st.lists(st.sampled_from([*schema.COMMANDS, "Testcommand"]) | scalars, max_size=6)
    elif isinstance(kind, schema.Choice):
        value = st.sampled_from([*kind.values, *kind.later])
    else:
        addresses = [
            "https://github.com/a/b",
            "https://dev.azure.com/a/b/_git/c",
            "https://[",
            "http://a:b@c:99999/d?e#f",
        ]
        value = st.sampled_from(["fix-bug", "5", "yes", "a/b", *addresses]) | st.text(max_size=10)
    return st.one_of(value, value, value, value, data)


@PROPERTY
@given(of_kind(schema.ROOT))
def test_no_data_makes_it_raise(value: object) -> None:
    assert_sound(value)


@PROPERTY
@given(data)
def test_no_structure_makes_it_raise(value: object) -> None:
    assert_sound(value)


@PROPERTY
@given(st.text() | st.binary())
@example('a: "\\UFFFFFFFF"')
@example('a: "\\ud800"')
@example("!!python/object/apply:os.system [x]")
@example("%YAML 9.9\n---\na: b")
@example("%TAG ! tag:x,2000:\n---\n!a b")
@example("? {a: b}\n: c")
@example("- &a [*a]")
@example("a: !!binary x\nb: !!set {c, d}\ne: !!omap [f: g]")
@example("\ta: b")
@example("projects: |\n\tx\n")
def test_no_text_makes_it_raise(source: str | bytes) -> None:
    assert_sound(source)


@PROPERTY
@given(st.text(alphabet=string.ascii_letters[:4] + " \t\n:-?[]{},&*!|>'\"%@`#<~\\$0", max_size=60))
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_no_yaml_makes_it_raise(loader: str, source: str) -> None:
    """Both parsers: PyYAML has its own where libyaml is missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "_Loader", getattr(yaml, loader))
        assert_sound(source)


@PROPERTY
@given(st.sampled_from(CORPUS), st.integers(0, 2000), st.integers(0, 40), st.text(max_size=6) | st.sampled_from(CORPUS))
def test_no_mutation_of_the_corpus_makes_it_raise(text: str, start: int, length: int, piece: str) -> None:
    assert_sound(text[:start] + piece + text[start + length :])
