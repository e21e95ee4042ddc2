# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the benchmark, from its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import FIGURES, Spread
from subjects import AS_LIST, BY_OBJECT, EMPTY, FORKS, HELM, KUBECTL, OURS
from task_times import BETWEEN

WALL, PROCESSOR, PEAK = range(len(FIGURES))
TITLES = {
    "unchanged": "An unchanged deploy",
    "changed": "A changed deploy",
    "first": "A first deploy",
    "profile": "Where the time of a deploy goes",
    "fleet": "A fleet",
    "many": "Many objects",
    "requests": "Requests",
}
LONG_TASK = 0.2  # seconds: a shorter one has no row of its own
PAGE = Path(__file__).with_name("page.md")


def write(results: Mapping[str, Any], page: Path) -> None:
    """Write the page."""
    parts = goals(results)
    for name, title in TITLES.items():
        if name in results:
            parts += [f"## {title}", "", provenance(results[name]), "", *SECTIONS[name](results), ""]
    text = PAGE.read_text(encoding="utf-8").replace("<!-- figures -->", "\n".join(parts).rstrip())
    page.write_text(text, encoding="utf-8")


def provenance(entry: Mapping[str, Any]) -> str:
    """Return where the figures of a scenario are from."""
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    return f"{entry['date']}, {entry['runs']} runs, a cluster {entry['cluster']}; {entry['machine']}; {versions}."


def goals(results: Mapping[str, Any]) -> list[str]:
    """Return what is to be reached, and whether it is, as far as it was measured."""
    rows: list[list[str]] = []

    def goal(text: str, value: float, most: float, unit: str = "") -> None:
        rows.append([text, f"{value:.2f}{unit}", f"{most:g}{unit}", "yes" if value <= most else "**no**"])

    def wall(scenario: str, name: str) -> float:
        return median(results[scenario]["result"], name, WALL)

    floor = wall("unchanged", EMPTY) if "unchanged" in results else 0.0
    if "unchanged" in results:
        ours = results["unchanged"]["result"]
        goal("unchanged, times an empty playbook", wall("unchanged", OURS) / floor, 1.6)
        goal("unchanged, peak", median(ours, OURS, PEAK), 64, " MiB")
    for scenario in ("changed", "first"):
        if floor and scenario in results and HELM in results[scenario]["result"]:
            ratio = (wall(scenario, OURS) - floor) / wall(scenario, HELM)
            goal(f"{scenario}, less the floor, times Helm", ratio, 1.0)
    if "first" in results:
        goal("first, processor", median(results["first"]["result"], OURS, PROCESSOR), 2.0, " s")
    if "fleet" in results:
        figures = results["fleet"]["result"]["figures"]
        helm = f"{HELM}, {FORKS} at a time"
        if helm in figures:
            goal("fleet, times Helm", median(figures, OURS, WALL) / median(figures, helm, WALL), 0.9)
    for delay, slopes in slopes_by_delay(results).items():
        if KUBECTL in slopes:
            goal(f"growth with objects at {delay} ms, times kubectl", slopes[OURS] / slopes[KUBECTL], 1.0)
    return ["## Goals", "", *table(["", "measured", "at most", "reached"], rows), ""] if rows else []


def single(scenario: str) -> Any:
    """Return the section of a scenario with one release."""

    def section(results: Mapping[str, Any]) -> list[str]:
        figures = results[scenario]["result"]
        floor = median(results["unchanged"]["result"], EMPTY, WALL) if "unchanged" in results else None
        requests = results.get("requests", {}).get("result", {})
        rows = []
        for name in figures:
            has_floor = floor is not None and name in (OURS, AS_LIST, BY_OBJECT)
            less = f"{median(figures, name, WALL) - (floor or 0):.2f}" if has_floor else ""
            counts = requests.get(name, {}).get(scenario, {})
            sent = str(sum(counts.values())) if counts else ""
            cells = [spread(figures, name, figure) for figure in (WALL, PROCESSOR, PEAK)]
            rows.append([name, cells[0], less, *cells[1:], sent])
        return table(["", "seconds", "less the floor", "processor, s", "peak, MiB", "requests"], rows)

    return section


def profile(results: Mapping[str, Any]) -> list[str]:
    """Return the section of the tasks. Those that are short in all deploys stand in one row."""
    scenarios = results["profile"]["result"]
    seconds = {
        scenario: {name: Spread.of([run.get(name, 0.0) for run in runs]).median for run in runs for name in run}
        for scenario, runs in scenarios.items()
    }
    names = list(dict.fromkeys(name for found in seconds.values() for name in found if name != BETWEEN))
    long = [name for name in names if max(found.get(name, 0.0) for found in seconds.values()) >= LONG_TASK]
    short = [name for name in names if name not in long]
    rows = [[name, *(f"{found[name]:.2f}" if name in found else "" for found in seconds.values())] for name in long]
    together = [sum(found.get(name, 0.0) for name in short) for found in seconds.values()]
    rows += [[f"tasks of less than {LONG_TASK} s, together", *(f"{value:.2f}" for value in together)]]
    rows += [[BETWEEN, *(f"{found[BETWEEN]:.2f}" for found in seconds.values())]]
    text = "Seconds of agentsmith.platform by task. A task that waits for pods contains what Kubernetes takes for them."
    return [text, "", *table(["", *scenarios], rows)]


def fleet(results: Mapping[str, Any]) -> list[str]:
    """Return the section of the fleet."""
    result = results["fleet"]["result"]
    figures = result["figures"]
    rows = [[name, *(spread(figures, name, figure) for figure in (WALL, PROCESSOR, PEAK))] for name in figures]
    text = f"An unchanged deploy to {result['targets']} targets. Ansible has its default of {FORKS} forks."
    return [text, "", *table(["", "seconds", "processor, s", "peak, MiB"], rows)]


def many(results: Mapping[str, Any]) -> list[str]:
    """Return the section of releases with more and more objects."""
    lines = ["Seconds of an unchanged deploy. The slope is that of 100 objects more.", ""]
    measured = results["many"]["result"]
    slopes = slopes_by_delay(results)
    for delay in dict.fromkeys(entry["delay"] for entry in measured):
        entries = [entry for entry in measured if entry["delay"] == delay]
        names = list(dict.fromkeys(name for entry in entries for name in entry["figures"]))
        rows = []
        for name in names:
            cells = [spread(entry["figures"], name, WALL) if name in entry["figures"] else "" for entry in entries]
            slope = f"{slopes[delay][name]:.2f}" if name in slopes[delay] else ""
            rows.append([name, *cells, slope])
        heading = [f"{delay} ms", *(f"{entry['objects']} objects" for entry in entries), "slope"]
        lines += [*table(heading, rows), ""]
    return lines


def slopes_by_delay(results: Mapping[str, Any]) -> dict[int, dict[str, float]]:
    """Return how many seconds 100 objects more take, from the fewest to the most, by delay and name."""
    found: dict[int, dict[str, float]] = {}
    measured = results.get("many", {}).get("result", [])
    for delay in {entry["delay"] for entry in measured}:
        entries = sorted((entry for entry in measured if entry["delay"] == delay), key=lambda entry: entry["objects"])
        first = entries[0]
        for name in first["figures"]:
            last = [entry for entry in entries if name in entry["figures"]][-1]
            if last["objects"] > first["objects"]:
                seconds = median(last["figures"], name, WALL) - median(first["figures"], name, WALL)
                found.setdefault(delay, {})[name] = seconds * 100 / (last["objects"] - first["objects"])
    return dict(sorted(found.items()))


def requests(results: Mapping[str, Any]) -> list[str]:
    """Return the section of the requests."""
    rows = []
    for name, scenarios in results["requests"]["result"].items():
        cells = [
            " + ".join(str(counts.get(kind, 0)) for kind in ("reads", "dry runs", "writes"))
            for counts in scenarios.values()
        ]
        rows.append([name, *cells])
    scenarios = next(iter(results["requests"]["result"].values()))
    return ["Reads + dry runs + writes.", "", *table(["", *scenarios], rows)]


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def spread(figures: Mapping[str, Sequence[Sequence[float]]], name: str, figure: int) -> str:
    """Return a median with the extremes."""
    found = Spread.of([run[figure] for run in figures[name]])
    digits = 0 if figure == PEAK else 2
    return f"{found.median:.{digits}f} ({found.least:.{digits}f}–{found.most:.{digits}f})"


def median(figures: Mapping[str, Sequence[Sequence[float]]], name: str, figure: int) -> float:
    """Return the median of a figure."""
    return Spread.of([run[figure] for run in figures[name]]).median


SECTIONS = {
    **{name: single(name) for name in ("unchanged", "changed", "first")},
    "profile": profile,
    "fleet": fleet,
    "many": many,
    "requests": requests,
}
