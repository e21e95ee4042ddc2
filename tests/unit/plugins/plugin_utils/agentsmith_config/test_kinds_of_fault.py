# SPDX-License-Identifier: GPL-3.0-or-later
"""One configuration a kind of fault: a small file that works, one part of it replaced, and the verdict of the real app.

Each was seen with be4bffa1. ERRORS: the app fails, or asks another address than is written. WARNINGS: it works, and a
word is due. WORKS: nothing is to be said but what the type of the repository calls for.
"""

from __future__ import annotations

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import check, examine

COMMANDS = (
    "FetchTicketCommand",
    "CheckoutSourceCommand",
    "LoadCodingPrinciplesCommand",
    "AnalyzeCodeCommand",
    "GeneratePlanCommand",
    "ApprovalCommand",
    "AgenticExecuteCommand",
    "TestCommand",
    "CommitAndPRCommand",
)
SOURCE = "    source: {type: GitHub, url: https://github.com/fjell/lantern}\n"
TICKETS = "    tickets: {type: GitHub, url: https://github.com/fjell/lantern}\n"
PRICES = "pricing: {models: {mini: {input_per_million: 1.5}}}"
AGENT = f"    agent: {{type: Claude, model: mini, {PRICES}}}\n"
PIPELINE = "    pipeline: mend\n"
LIST = f"    commands: [{', '.join(COMMANDS)}]\n"
BASE = f"projects:\n  lantern:\n{SOURCE}{TICKETS}{AGENT}{PIPELINE}pipelines:\n  mend:\n{LIST}"
# Said about every GitLab repository and every Jira project
OF_THE_TYPE = {"jobs_lack_secret", "jira_keys", "ignored_for_type"}


def source(inner: str) -> str:
    return BASE.replace(SOURCE, f"    source: {{{inner}}}\n")


def tickets(inner: str) -> str:
    return BASE.replace(TICKETS, f"    tickets: {{{inner}}}\n")


def agent(inner: str, type_: str = "Claude") -> str:
    return BASE.replace(AGENT, f"    agent: {{type: {type_}, {inner}}}\n")


def project(line: str) -> str:
    return BASE.replace(PIPELINE, PIPELINE + f"    {line}\n")


def commands(text: str) -> str:
    return BASE.replace(LIST, text)


GITHUB, DEVOPS = "type: GitHub, url:", "type: AzureRepos, url:"
LINES = ",\n".join(f"    {command}" for command in COMMANDS)
ERRORS = {
    # Numbers as the app's libraries take them
    "no retries at all": agent(f"model: mini, retry: {{max_retries: 0}}, {PRICES}"),
    "retries left empty": agent(f"model: mini, retry: {{max_retries: }}, {PRICES}", "OpenAI"),
    "waits of zero times infinity": agent(
        f"model: mini, retry: {{initial_delay_ms: 0, backoff_multiplier: 1e400}}, {PRICES}"
    ),
    "compaction every zero iterations": agent(f"model: mini, compaction: {{threshold_iterations: 0}}, {PRICES}"),
    "a plan of zero tokens": agent("models: {planning: {model: mini, max_tokens: 0}}"),
    # Files of the image
    "rules of the repository": project("coding_principles_path: handbook/rules.md"),
    "rules in another case": project("coding_principles_path: config/CODING-principles.md"),
    # Hosts
    "our placeholder of a Jira site": tickets("type: Jira, url: 'https://{site}.atlassian.net'"),
    "a comma in a host": source(f"{GITHUB} 'https://github,com/fjell/lantern'"),
    "two dots in a host": tickets(f"{GITHUB} https://github..com/fjell/lantern"),
    "an endless address": source(f"{GITHUB} https://github.com/fjell/{'l' * 66_000}"),
    # Addresses that become others
    "our placeholder of a repository": source(f"{GITHUB} 'https://github.com/{{owner}}/{{repository}}'"),
    "an endless organization": tickets(f"type: AzureDevOps, project: Lantern, organization: {'l' * 66_000}"),
    "a placeholder of a GitLab project": source("type: GitLab, url: 'https://gitlab.com/{group}/{project}'"),
    "a placeholder of an Azure repository": source(f"{DEVOPS} 'https://dev.azure.com/fjell/<project>/_git/lantern'"),
    "a placeholder of an Azure organization": tickets("type: AzureDevOps, organization: '{name}', project: Lantern"),
    "a placeholder of a Jira path": tickets("type: Jira, url: 'https://fjell.example/{path}'"),
    "a host of an Azure server that is none before": source(f"{DEVOPS} https://a..gitb/Team/app/_git/lantern"),
    "a host of GitHub that is none before": source(f"{GITHUB} https://a..gitb/fjell/lantern"),
    "a host of an Azure server that loses a part": source(
        f"{DEVOPS} https://code.github.example/Team/app/_git/lantern"
    ),
    "an empty part": tickets(f"{GITHUB} https://github.com/fjell//lantern"),
    "an empty part in GitLab": source("type: GitLab, url: https://gitlab.com/fjell//lantern"),
    "a step back": tickets(f"{GITHUB} https://github.com/fjell/lantern/.."),
    "a page of GitLab": source("type: GitLab, url: https://gitlab.com/fjell/lantern/-/issues"),
    "a page of GitHub": source(f"{GITHUB} https://github.com/fjell/lantern/tree/next"),
    "a page of Jira": tickets("type: Jira, url: https://fjell.atlassian.net/browse/LAN-3"),
    "a page of Jira with its start": tickets("type: Jira, url: https://fjell.example/jira/browse/LAN-3"),
    "the start page of Jira's cloud": tickets("type: Jira, url: https://fjell.atlassian.net/jira"),
    "a group of GitLab that loses its end": source("type: GitLab, url: https://gitlab.com/fjell.git/lantern"),
    "an old page of GitLab": source("type: GitLab, url: https://gitlab.com/fjell/lantern/wikis/home"),
    "a host of digits and an empty part": tickets("type: Jira, url: https://1..2"),
    "a host that starts with a dot": tickets("type: Jira, url: https://.fjell.example"),
    "a part of a host that starts with a dash": tickets("type: Jira, url: https://jira.-fjell.example"),
    "a host of 256 characters": tickets(f"type: Jira, url: https://{'fjell.' * 42}fjel"),
    "the API of Jira": tickets("type: Jira, url: https://fjell.atlassian.net/rest/api/3"),
    "GitHub Enterprise": BASE.replace("https://github.com/", "https://code.fjell.example/"),
    "a port of an own Azure server": source(f"{DEVOPS} https://tfs.fjell.example:8080/Team/app/_git/lantern"),
    # YAML that the app's parser refuses
    "items of a flow list under their key": commands(f"    commands: [\n{LINES}\n    ]\n"),
    "a flow text under its key": tickets("type: AzureDevOps, organization: fjell, project: Lantern\n  Makers"),
    "an anchored text before a comma": source("type: &kind GitHub, url: https://github.com/fjell/lantern"),
    "a double-quoted text under its key": BASE.replace(
        AGENT, f'    agent:\n      type: Claude\n      model: "mini-\\\n      two"\n      {PRICES}\n'
    ),
    "a block text that starts with spaces": f"{BASE}remarks: |\n    \n    text\n",
    "a lone dash in a flow list": f"{BASE}remarks: [b, -, c]\n",
    "a comma after a tag": f"{BASE}remarks: {{a: !!str, b: c}}\n",
    "a comment that touches a bracket": f"{BASE}remarks: [b]# c\n",
    "a comment that touches a comma": f"{BASE}remarks: [b,# c\n  d]\n",
    "a comment that touches double quotes": f'{BASE}remarks: "b"# c\n',
    "an anchored text before a comma in the next line": f"{BASE}remarks: {{a: &b c # d\n  , e: f}}\n",
    "a block text after two spaces, however deep": f"{BASE}remarks: |\n  \n      text\n",
    "a block text of a stated depth after more spaces": f"{BASE}remarks: |1\n   \n text\n",
    "a text that is cut off from its anchor": f"{BASE}remarks: [\n&a\nb]\n",
    "a tab at the margin": f"{BASE}remarks: 'a'\n\t\n",
    "half of a character": f'{BASE}remarks: "\\ude00"\n',
    "the tag null": project("coding_principles_path: !!null ''"),
    "two byte order marks": f"\ufeff\ufeff{BASE}",
    "a bracket that nothing closes": "projects: {a: {b: [\n\n  c\n# the end\n",
}
WARNINGS = {
    "a name that is escaped twice": source("type: GitLab, url: https://gitlab.com/fjell/f%C3%BCr"),
    "names that are escaped twice for Azure DevOps": source(f"{DEVOPS} https://dev.azure.com/fjell/A%20B/_git/lantern"),
    "a query in a GitHub address, which its Git library drops": source(
        f"{GITHUB} 'https://github.com/fjell/lantern?a=b'"
    ),
    "a fragment in a GitHub address": source(f"{GITHUB} 'https://github.com/fjell/lantern#readme'"),
    "a later command in a pipeline that nobody names": f"{BASE}  next: {{commands: [WriteRunResultCommand]}}\n",
    "a command that nobody knows, in a pipeline that nobody names": f"{BASE}  next: {{commands: [Dance]}}\n",
    "an empty pipeline that nobody names": f"{BASE}  next: {{commands: []}}\n",
    "an empty pipeline": commands("    commands: []\n"),
    "a placeholder in auth": source("type: GitHub, url: https://github.com/fjell/lantern, auth: '${TOKEN}'"),
    "an empty path for GitHub": source("type: GitHub, url: https://github.com/fjell/lantern, path: ''"),
    "an empty cache for OpenAI": agent(f"model: mini, cache: , {PRICES}", "OpenAI"),
    "an empty strategy": agent(f"model: mini, cache: {{strategy: ''}}, {PRICES}"),
    "an empty summary model, compaction off": agent(
        f"model: mini, compaction: {{enabled: no, summary_model: ''}}, {PRICES}"
    ),
    "zero of the tokens that nobody reads": agent(f"model: mini, compaction: {{max_context_tokens: 0}}, {PRICES}"),
    "an empty scout for OpenAI": agent(
        f"models: {{primary: {{model: mini}}, planning: {{model: mini}}, scout: }}, {PRICES}", "OpenAI"
    ),
    "one model without a price": agent(
        "models: {primary: {model: mini}, planning: {model: mini}, scout: {model: mini}}"
    ),
    "a duplicate that the app skips": f"{BASE}x-links: {{a: 1, a: 2}}\n",
    "an escape character in a comment": f"{BASE}# \x1b[1mbold\n",
    "an alias to itself that the app skips": f"{BASE}x-links: &links [*links]\n",
    "Jira without an address": tickets("type: Jira"),
    "quoted items of a flow list under their key": f"{BASE}remarks: [\n'a',\n\"b\"\n]\n",
    "quoted keys of a flow mapping under their key": f'{BASE}remarks: {{\n"a": b,\n"c": [\n]}}\n',
    "an anchor at the margin": f"{BASE}remarks: [\n&a b]\n",
    "an empty value before the bracket in the next line": f"{BASE}remarks: {{a:\n}}\n",
    "a flow list in an anchored mapping": f"{BASE}remarks: &all-of-them\n  a: [b,\n   c]\n",
    "a flow mapping in an anchored list that is not indented": f"{BASE}remarks: &all-of-them\n- {{a: b,\n c: d}}\n",
    "an anchor without a text in a flow mapping": f"{BASE}remarks: {{a: &b , c: d}}\n",
    "an anchored text in a pair of a flow list": f"{BASE}remarks: [a: &b c, d]\n",
    "a comma at the end of a line after a tag": f"{BASE}remarks: {{a: !!str,\n  b: c}}\n",
    "a block text after one space": f"{BASE}remarks: |\n \n text\n",
    "a tab that is deeper than the block": f"{BASE}remarks: 'a'\n  \t\nnotes:\n \t- b\n",
    "a text in a flow list that starts with any character": f"{BASE}remarks: [@a, %b, {{: c}}]\n",
    "a character in two escapes, as JSON has it": f'{BASE}remarks: "\\ud83d\\ude00"\n',
    "a colon at the end of an anchor": f"{BASE}remarks: &a: b\n",
}
WORKS = {
    "the base": BASE,
    "zero retries for Gemini, which reads none": agent(f"model: mini, retry: {{max_retries: 0}}, {PRICES}", "Gemini"),
    "a threshold of zero, compaction off": agent(
        f"model: mini, compaction: {{enabled: false, threshold_iterations: 0}}, {PRICES}"
    ),
    "rules that no step loads": project("coding_principles_path: handbook/rules.md").replace(
        LIST, "    commands: [FetchTicketCommand, CheckoutSourceCommand]\n"
    ),
    "an endless backoff": agent(f"model: mini, retry: {{backoff_multiplier: .inf}}, {PRICES}"),
    "a number with a fraction by its tag": agent(f"model: mini, retry: {{initial_delay_ms: !!float 750.0}}, {PRICES}"),
    "a model that OpenAI never asks": agent(
        f"models: {{primary: {{model: mini}}, planning: {{model: mini}}, summarization: {{model: maxi}}}}, {PRICES}",
        "OpenAI",
    ),
    "a user in a GitHub address": source(f"{GITHUB} https://kari@github.com/fjell/lantern"),
    "a user in a GitLab address": source("type: GitLab, url: https://kari@gitlab.com/fjell/lantern"),
    "a user in an Azure address": source(f"{DEVOPS} https://fjell@dev.azure.com/fjell/app/_git/lantern"),
    "a branch in an Azure address": source(f"{DEVOPS} 'https://dev.azure.com/fjell/app/_git/lantern?version=GBnext'"),
    "a file in an Azure address": source(f"{DEVOPS} 'https://dev.azure.com/fjell/app/_git/lantern?path=/.gitignore'"),
    "a page of an Azure repository": source(f"{DEVOPS} https://dev.azure.com/fjell/app/_git/lantern/pushes"),
    "an own Jira server with a start of all paths": tickets("type: Jira, url: https://fjell.example:8443/jira/"),
    "a host that starts with a dash": tickets("type: Jira, url: https://-fjell.example"),
    "a host that starts with an underscore": tickets("type: Jira, url: https://_jira.fjell.example"),
    "a host with other letters": tickets("type: Jira, url: https://blå。fjell.example"),
    "a host with a dot at its end": tickets("type: Jira, url: https://fjell.example."),
    "a part of a host with 64 characters": tickets(f"type: Jira, url: https://{'f' * 64}.example"),
    "an own Azure server": source(f"{DEVOPS} https://tfs.fjell.example/Team/app/_git/lantern"),
    "an old Azure address": source(f"{DEVOPS} https://fjell.visualstudio.com/DefaultCollection/app/_git/lantern"),
    "a bracket at the margin": commands("    commands: [\n" + LINES.replace("    ", "      ") + "\n]\n"),
    "an anchored text at the end": source("url: https://github.com/fjell/lantern, type: &kind GitHub"),
    "a single-quoted text under its key": BASE.replace(
        AGENT,
        "    agent:\n      type: Claude\n      model: 'mini\n      two'\n      pricing: {models: {mini two: {}}}\n",
    ),
    "a tag of a key": BASE.replace("    source:", "    !mine source:"),
    "a dot in an anchor": BASE.replace("agent: {", "agent: &all.agents {"),
    "a tab after a dash": commands("    commands:\n" + "".join(f"      -\t{command}\n" for command in COMMANDS)),
    "a directive of its own": f"%MINE 1\n---\n{BASE}",
    "an alias as a key": BASE.replace("pipeline: mend", "pipeline: &way mend").replace("  mend:", "  *way :"),
}


def severities(text: str) -> set[str]:
    return {finding.severity for finding in check(text.encode()) if finding.code not in OF_THE_TYPE}


@pytest.mark.parametrize("name", ERRORS)
def test_the_app_fails_or_asks_elsewhere(name: str) -> None:
    assert "error" in severities(ERRORS[name])


@pytest.mark.parametrize("name", WARNINGS)
def test_it_works_and_a_word_is_due(name: str) -> None:
    assert {finding.severity for finding in check(WARNINGS[name].encode())} == {"warning"}


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name: str) -> None:
    assert severities(WORKS[name]) == set()


def test_rules_of_an_image_of_ones_own_can_be_allowed() -> None:
    text = ERRORS["rules of the repository"]
    (error,) = examine(text).findings
    assert "add coding_principles_path to config_allow" in error.message
    (warning,) = examine(text, allow=["coding_principles_path"]).findings
    assert (error.severity, warning.severity) == ("error", "warning")
    assert (error.code, warning.code) == ("coding_principles_path",) * 2


def test_a_price_that_is_missing_counts_projects() -> None:
    (finding,) = check(WARNINGS["one model without a price"].encode())
    assert finding.code == "no_price"
    assert "projects" not in finding.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ERRORS["a bracket that nothing closes"], 1),
        # What follows is read as a part of it, and fails for other reasons.
        (BASE.replace("lantern}\n    tickets", "lantern\n    tickets"), 3),
        (BASE.replace("[Fetch", "[\n      Fetch").replace("]\n", ",\n") + "secrets: {}\n", 9),
        (BASE.replace("1.5}}}}", "1.5}}}"), 5),
        ("projects: [", 1),
        # After something that only the app's parser reads
        (f"{BASE}remarks: &a.b c\nlinks: {{a: b\n\n", 11),
    ],
)
def test_an_open_bracket_is_reported_where_it_opens(text: str, line: int) -> None:
    (finding,) = check(text.encode())
    assert (finding.code, finding.line) == ("yaml", line)
    assert "nothing closes this" in finding.message


def test_an_open_quote_is_reported_where_it_opens() -> None:
    (finding,) = check(source("type: 'GitHub, url: x").encode())
    assert (finding.line, "quoted scalar" in finding.message) == (3, True)
