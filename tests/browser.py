"""A real browser for tests: Chromium without a window, driven through the DevTools protocol.

Chromium reads commands from one pipe and writes answers and events to another (`--remote-debugging-pipe`), so this
needs no further package. Messages are JSON and end with a zero byte; the protocol is described at
https://chromedevtools.github.io/devtools-protocol/. The fixture `browser` of tests/conftest.py starts it.

Tested by tests/test_browser.py.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",  # in containers, and as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Moves the ends of the pipes to the file descriptors 3 and 4, where Chromium expects them, and becomes Chromium.
START = (
    "import fcntl, os, sys; ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]];"
    "os.dup2(ends[0], 3); os.dup2(ends[1], 4); os.execv(sys.argv[3], sys.argv[3:])"
)
TIMEOUT = 60.0  # seconds
CHUNK = 1 << 20  # bytes


def find_chromium() -> str | None:
    """Return the path of Chromium or Chrome, or None if it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser process; use it as a context manager.

    Args:
        executable: path of Chromium.
        profile: an empty folder for the profile.
    """

    def __init__(self, executable: str, profile: Path) -> None:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        words = [sys.executable, "-c", START, str(commands), str(answers), executable, *FLAGS]
        self._process = subprocess.Popen(
            [*words, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._numbers, self._received = itertools.count(1), b""
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.send("Browser.close")
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._commands)
            os.close(self._answers)

    def open(self, url: str, width: int = 1400, height: int = 900) -> "Page":
        """Open a page in a new tab of a size in CSS pixels, and wait until it is loaded."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            page.send(f"{domain}.enable")
        page.resize(width, height)
        page.go_to(url)
        return page

    def send(self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None) -> Any:
        """Send a command and return its result. Raises RuntimeError if the browser refuses it."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters or {}}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        deadline = time.monotonic() + TIMEOUT
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def receive(self, deadline: float) -> Any:
        """Return the next message, and pass events on to their pages. Raises TimeoutError at the deadline."""
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser did not answer in time")
            piece = os.read(self._answers, CHUNK)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._received += piece
        text, _, self._received = self._received.partition(b"\0")
        message = json.loads(text)
        page = self._pages.get(message.get("sessionId"))
        if page is not None and "method" in message:
            page.handle(message["method"], message["params"])
        return message


class Page:
    """A tab.

    Attributes:
        errors: messages of the console, uncaught exceptions and failed requests.
        requests: addresses that the page asked for, its own first; without `data:` and `blob:`.
    """

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self._loaded = 0
        self.errors: list[str] = []
        self.requests: list[str] = []

    def send(self, method: str, **parameters: object) -> Any:
        """Send a command of the protocol to this tab."""
        return self._browser.send(method, parameters, self._session)

    def handle(self, method: str, event: dict[str, Any]) -> None:
        """Record an event."""
        if method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Network.requestWillBeSent":
            if not event["request"]["url"].startswith(("data:", "blob:")):
                self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(event["exceptionDetails"]["exception"].get("description", "exception"))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(word.get("value", word.get("description"))) for word in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.errors.append(event["entry"]["text"])

    def go_to(self, url: str) -> None:
        """Go to an address and wait until the page is loaded. Raises RuntimeError if it cannot be."""
        loaded = self._loaded
        answer = self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise RuntimeError(f"{url}: {answer['errorText']}")
        self._wait(lambda: self._loaded > loaded, f"{url} to load")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, after a promise is kept."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait_for(self, expression: str, timeout: float = TIMEOUT) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        deadline = time.monotonic() + timeout
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {timeout:.0f} seconds for {expression}")
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """Click on the first element that a CSS selector finds."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key: str) -> None:
        """Press a key such as `Enter` on the element that has the focus."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else "")

    def upload(self, selector: str, *files: Path) -> None:
        """Choose files in the file input that a CSS selector finds."""
        found = self.send("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        paths = [str(file.resolve()) for file in files]
        self.send("DOM.setFileInputFiles", files=paths, objectId=found["result"]["objectId"])

    def resize(self, width: int, height: int = 900) -> None:
        """Change the size of the page, CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def emulate(self, media: str = "", color_scheme: str = "light") -> None:
        """Show the page as in print (`media="print"`), or with another color scheme (`dark`)."""
        features = [{"name": "prefers-color-scheme", "value": color_scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def screenshot(self, path: Path, full: bool = True) -> None:
        """Write a PNG of the whole page, or of the part that is visible."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=full, **self._clip(full))
        path.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        self._browser.send("Target.closeTarget", {"targetId": self._target})

    def _clip(self, full: bool) -> dict[str, Any]:
        if not full:
            return {}
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            try:
                self._browser.receive(deadline)
            except TimeoutError:
                raise TimeoutError(f"waited {TIMEOUT:.0f} seconds for {what}") from None
