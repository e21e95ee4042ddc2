# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that the benchmark writes, and the distance that it puts between a client and the API server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BENCHMARK = Path(__file__).parents[2] / "benchmark"
sys.path.insert(0, str(BENCHMARK))

import report  # noqa: E402
from subjects import EMPTY, FORKS, HELM, KUBECTL, OURS  # noqa: E402
from task_times import BEFORE, BETWEEN, seconds_of_tasks  # noqa: E402

ENTRY = {"runs": 3, "date": "2026-01-01", "machine": "a machine", "versions": {"Helm": "v4"}, "cluster": "with nodes"}


def runs(wall: float, processor: float = 1.0, peak: float = 50.0) -> list[list[float]]:
    """Return the figures of three runs around a median."""
    return [[wall - 0.1, processor, peak], [wall, processor, peak], [wall + 0.3, processor, peak]]


def results(**scenarios: Any) -> dict[str, Any]:
    """Return results as the suite keeps them."""
    return {name: {**ENTRY, "result": result} for name, result in scenarios.items()}


MEASURED = results(
    unchanged={OURS: runs(1.5, peak=65.0), KUBECTL: runs(0.5), EMPTY: runs(1.0)},
    changed={OURS: runs(3.5), HELM: runs(2.0)},
    fleet={"targets": 20, "figures": {OURS: runs(9.0), f"{HELM}, {FORKS} at a time": runs(10.0)}},
    many=[
        {"objects": 18, "delay": 20, "figures": {OURS: runs(1.0), KUBECTL: runs(1.0)}},
        {"objects": 118, "delay": 20, "figures": {OURS: runs(1.5), KUBECTL: runs(3.0)}},
        {"objects": 518, "delay": 20, "figures": {OURS: runs(3.5)}},
    ],
    profile={
        "first": [
            {BEFORE: 1.0, "Apply": seconds, "Say": 0.1, "Skip": 0.05, BETWEEN: 0.5} for seconds in (2.0, 3.0, 9.0)
        ],
        "unchanged": [{BEFORE: 1.0, "Apply": 0.4, BETWEEN: 0.1}],
    },
    requests={OURS: {"first": {"reads": 5, "writes": 2}, "unchanged": {"reads": 3}}},
)


def test_the_page_says_what_is_reached(tmp_path: Path) -> None:
    report.write(MEASURED, tmp_path / "page.md")
    lines = (tmp_path / "page.md").read_text().splitlines()
    for line in (
        "| unchanged, times an empty playbook | 1.50 | 1.6 | yes |",
        "| unchanged, peak | 65.00 MiB | 64 MiB | **no** |",
        "| changed, less the floor, times Helm | 1.25 | 1 | **no** |",
        "| fleet, times Helm | 0.90 | 0.9 | yes |",
        "| growth with objects at 20 ms, times kubectl | 0.25 | 1 | yes |",
        f"| {OURS} | 1.50 (1.40–1.80) | 0.50 | 1.00 (1.00–1.00) | 65 (65–65) | 3 |",
        f"| {KUBECTL} | 0.50 (0.40–0.80) |  | 1.00 (1.00–1.00) | 50 (50–50) |  |",
        f"| {OURS} | 5 + 0 + 2 | 3 + 0 + 0 |",
        "| Apply | 3.00 | 0.40 |",
        "| tasks of less than 0.2 s, together | 0.15 | 0.00 |",
        f"| {BETWEEN} | 0.50 | 0.10 |",
        f"| {KUBECTL} | 1.00 (0.90–1.30) | 3.00 (2.90–3.30) |  | 2.00 |",
    ):
        assert line in lines
    assert "2026-01-01, 3 runs, a cluster with nodes; a machine; Helm v4." in lines


def test_what_was_not_measured_is_not_on_the_page(tmp_path: Path) -> None:
    report.write(results(changed={OURS: runs(1.0)}), tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "## A changed deploy" in text
    assert "## Goals" not in text and "## A fleet" not in text


def test_the_times_of_tasks_and_of_what_is_between_them_add_up() -> None:
    def task(name: str, start: str, end: str | None) -> dict[str, Any]:
        duration = {"start": f"2026-01-01T00:00:{start}Z", **({"end": f"2026-01-01T00:00:{end}Z"} if end else {})}
        return {"task": {"name": name, "duration": duration}}

    tasks = [
        task("Apply", "01.5", "03.5"),
        task("Say", "04", "04.5"),
        task("Say", "05", "05.5"),
        task("Cut", "06", None),
    ]
    document = json.dumps({"plays": [{"tasks": tasks[:1]}, {"tasks": tasks[1:]}]}, indent=4)
    started = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    found = seconds_of_tasks(f"one: Waiting\n{document}\n[WARNING]: {{}}\n", started, wall=7.0)
    assert found == {BEFORE: 1.5, "Apply": 2.0, "Say": 1.0, BETWEEN: 2.5}


def test_a_distance_delays_and_keeps_the_order() -> None:
    milliseconds, parts = 60, [b"one", b"two", b"three"]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                while part := connection.recv(1024):
                    connection.sendall(part)

        threading.Thread(target=echo, daemon=True).start()
        program = [sys.executable, str(BENCHMARK / "delay.py"), "127.0.0.1", str(server.getsockname()[1])]
        with subprocess.Popen([*program, str(milliseconds)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            port = int(process.stdout.readline())
            started = time.monotonic()
            with socket.create_connection(("127.0.0.1", port)) as client:
                for part in parts:
                    client.sendall(part)
                client.shutdown(socket.SHUT_WR)
                came = b""
                while part := client.recv(1024):
                    came += part
            process.terminate()
    assert came == b"onetwothree"
    # A round trip to connect, and one for the answer
    assert time.monotonic() - started >= 2 * milliseconds / 1000
