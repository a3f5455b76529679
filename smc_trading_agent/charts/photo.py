"""A picture of a page, taken by a headless Chromium or Chrome that is spoken to over its DevTools socket.

The picture waits for the page to say that it is drawn, in a viewport of exactly the size asked for; the command-line
switch for screenshots promises neither.
"""

from __future__ import annotations

import base64
import math
import os
import shutil
import signal
import subprocess  # nosec B404
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from smc_trading_agent.domain.errors import DrawingError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
"""On the PATH, or where macOS keeps them."""
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
TIMEOUT_S = 60.0
POLL_S = 0.02
ANNOUNCEMENT = "DevTools listening on "
READY = "window.chartReady"
"""A promise of the page, kept once everything is drawn."""


class Frame(msgspec.Struct, frozen=True):
    """Size of a picture in CSS pixels, and device pixels to each."""

    width: int
    height: int
    scale: float = 2.0


def find_browser(path: Path | None) -> Path:
    """The browser at ``path``, or the first known one on the PATH; `DrawingError` where there is none."""
    if path is not None:
        if not os.access(path, os.X_OK) or path.is_dir():
            raise DrawingError(f"--browser {path} is no program that can be run; name a Chromium or Chrome")
        return path
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise DrawingError(
        "no Chromium or Chrome is on the PATH, and a .png is a picture that one takes; "
        "install Chromium, name one with --browser, or write an .html"
    )


def photograph(page: str, frame: Frame, browser: Path, timeout: float = TIMEOUT_S) -> bytes:
    """``page`` (HTML that loads nothing) as PNG bytes; `DrawingError` where the browser fails or takes too long."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="smc-chart-", ignore_cleanup_errors=True) as profile,
            _running(browser, Path(profile), timeout) as address,
            connect(address, max_size=None, open_timeout=timeout, compression=None) as socket,
        ):
            return _Session(socket, timeout).picture(page, frame)
    except (OSError, WebSocketException, TimeoutError) as error:
        raise DrawingError(
            f"{browser} took no picture: {error}; try another with --browser, or write an .html"
        ) from error


@contextmanager
def _running(browser: Path, profile: Path, timeout: float) -> Iterator[str]:
    """A browser with a profile of its own; yields the address of its DevTools, and ends it."""
    flags: Sequence[str] = (*FLAGS, f"--user-data-dir={profile}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags = (*flags, "--no-sandbox")  # Chromium's sandbox refuses to run as root
    command = [str(browser), *flags, "about:blank"]
    with (
        (profile / "stderr").open("w+b") as said,
        subprocess.Popen(  # nosec B603
            command, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        ) as process,
    ):
        try:
            yield _announced(process, profile / "stderr", timeout)
        finally:
            _end(process)


def _announced(process: subprocess.Popen[bytes], said: Path, timeout: float) -> str:
    """The address that the browser tells once it listens; `OSError` where it ends instead, or takes too long."""
    patience, tries = threading.Event(), math.ceil(timeout / POLL_S)
    for _ in range(tries):
        ended = process.poll()
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        for line in lines:
            if line.startswith(ANNOUNCEMENT) and line.endswith("\n"):
                return line.removeprefix(ANNOUNCEMENT).strip()
        if ended is not None:
            last = "".join(lines[-2:]).strip() or "nothing"
            raise OSError(f"it ended with code {ended}, saying: {last}")
        patience.wait(POLL_S)
    raise TimeoutError(f"it told no address within {timeout:g} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the browser with its helpers, which share its session."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Session:
    """Commands of the DevTools protocol, one after another."""

    def __init__(self, socket: ClientConnection, timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self._last = 0
        self._tab: str | None = None

    def picture(self, page: str, frame: Frame) -> bytes:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._tab = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=frame.width,
            height=frame.height,
            deviceScaleFactor=frame.scale,
            mobile=False,
        )
        root = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._call("Page.setDocumentContent", frameId=root, html=page)
        drawn = self._call("Runtime.evaluate", expression=READY, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in drawn or drawn["result"].get("value") is not True:
            raise OSError(f"the page did not draw itself ({drawn.get('exceptionDetails', drawn['result'])})")
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._tab is not None:
            message["sessionId"] = self._tab
        self._socket.send(msgspec.json.encode(message).decode())
        while True:
            answer = msgspec.json.decode(self._socket.recv(timeout=self._timeout))
            if answer.get("id") != self._last:
                continue
            if "error" in answer:
                raise OSError(f"{method}: {answer['error'].get('message')}")
            result: dict[str, Any] = answer["result"]
            return result
