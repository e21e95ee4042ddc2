# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven over its debugging pipe, by roles and names as a screen reader has them.

Protocol: https://chromedevtools.github.io/devtools-protocol/. The pipe needs no port and no library.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from awaiting import await_condition

WIDTH, HEIGHT = 1100, 760
"""Pixels of the window."""


class Chromium:
    """One browser with one page. `faults` are the errors of its console."""

    def __init__(self, profile: Path) -> None:
        """Start it with a new profile in `profile`."""
        program = shutil.which("chromium")
        if program is None:
            pytest.fail("chromium is not on PATH: install it, on Debian with 'apt-get install chromium'.")
        from_browser, to_test = os.pipe()
        from_test, to_browser = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--remote-debugging-pipe",
            "--disable-gpu",
            f"--user-data-dir={profile}",
        ]
        # The browser wants its pipe at the descriptors 3 and 4.
        redirect = f'exec "$@" 3<&{from_test} 4>&{to_test}'
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, "bash", program, *options, "about:blank"],
            pass_fds=(from_test, to_test),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(profile), "LANG": "C.UTF-8"},
        )
        os.close(from_test)
        os.close(to_test)
        self._input = os.fdopen(to_browser, "wb", buffering=0)
        self._output = os.fdopen(from_browser, "rb")
        self._last_id = 0
        self._session: str | None = None
        self.faults: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")
        self.resize(WIDTH, HEIGHT)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()

    def call(self, method: str, **parameters: object) -> dict[str, object]:
        """Send a command and return its result. Raises AssertionError for an error."""
        self._last_id += 1
        command: dict[str, object] = {"id": self._last_id, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        self._input.write(json.dumps(command).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last_id:
            self._note_fault(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        """Set the window's size in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def evaluate(self, expression: str) -> object:
        """Return the value of a JavaScript expression."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def find(self, role: str, name: str) -> int | None:
        """Return the node of a role and an accessible name, if it is there and only once."""
        root = self.call("DOM.getDocument")["root"]["backendNodeId"]
        query = {"backendNodeId": root, "role": role, "accessibleName": name}
        found = [node for node in self.call("Accessibility.queryAXTree", **query)["nodes"] if not node["ignored"]]
        return found[0]["backendDOMNodeId"] if len(found) == 1 else None

    def await_node(self, role: str, name: str) -> int:
        """Wait for what find() finds."""
        return await_condition(lambda: self.find(role, name))

    def click(self, role: str, name: str) -> None:
        """Click into the middle of a node."""
        node = self.await_node(role, name)
        self.call("DOM.scrollIntoViewIfNeeded", backendNodeId=node)
        (left, top, _, _, right, bottom, _, _), *_ = self.call("DOM.getContentQuads", backendNodeId=node)["quads"]
        place = {"x": (left + right) / 2, "y": (top + bottom) / 2, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def type(self, text: str) -> None:
        """Type where the focus is."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press one key; `code` is its Windows virtual-key code."""
        key_event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **key_event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key_event)

    def screenshot(self, file: Path) -> None:
        """Write what is to be seen as a PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _read(self) -> dict[str, object]:
        message = bytearray()
        while (byte := self._output.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        return json.loads(message)

    def _note_fault(self, event: dict[str, object]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.faults.append(parameters["entry"]["text"])


@contextmanager
def running_chromium(profile: Path) -> Iterator[Chromium]:
    """Start a browser; in the end it is gone."""
    browser = Chromium(profile)
    try:
        yield browser
    finally:
        browser.close()
