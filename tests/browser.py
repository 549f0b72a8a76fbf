"""A headless Chromium for the tests of the page; helper of the tests, not a test.

Needs the package playwright and a Chromium of the system (``SALIENTCLIPS_CHROMIUM`` names it where it has
another name); playwright's own browsers are not downloaded. axe-core, which finds faults of accessibility, is
read from the file that ``SALIENTCLIPS_AXE`` names or from ``salientclips-axe/axe.min.js`` in the folder of
temporary files.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from media_files import read_counter

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = (1360, 900), (390, 844)


def chromium() -> str:
    """The browser; the test is skipped where there is none."""
    found = os.environ.get("SALIENTCLIPS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed; set SALIENTCLIPS_CHROMIUM")
    return found


def axe_source() -> str:
    """The text of axe-core; the test is skipped where it is not at hand."""
    default = Path(tempfile.gettempdir()) / "salientclips-axe" / "axe.min.js"
    path = Path(os.environ.get("SALIENTCLIPS_AXE", default))
    if not path.is_file():
        pytest.skip(f"no axe-core at {path}; set SALIENTCLIPS_AXE")
    return path.read_text(encoding="utf-8")


@contextmanager
def launched() -> Iterator[Any]:
    """A running browser."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page whose requests and complaints are written down."""

    def __init__(self, browser: Any, *, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def open(self, url: str, *, waits_for_video: bool = True) -> Any:
        self.page.goto(url)
        if waits_for_video:
            self.wait("player.readyState >= 2")
        return self.page

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression is true. Playwright's own way is eval in the page, which the page forbids."""
        until = monotonic() + seconds
        while not self.page.evaluate(expression):
            assert monotonic() < until, f"still not true: {expression}"
            self.page.wait_for_timeout(30)

    def check(self, *allowed: str) -> None:
        """No complaint, and no request but to what begins with one of ``allowed``."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("data:", *allowed))] == []

    def settled(self) -> float:
        """Wait until the player has sought; its time, seconds."""
        self.wait("!player.seeking && player.readyState >= 2")
        return float(self.page.evaluate("player.currentTime"))

    def counter(self) -> int:
        """The burnt-in number of the frame on show."""
        self.settled()
        # two frames of the page, so that what was decoded is painted, and nothing of the player over it
        self.page.evaluate(
            """() => {
              player.controls = false;
              player.style.cssText = 'border-radius:0; aspect-ratio:auto; width:640px; max-height:none;'
                + 'position:fixed; left:0; top:0; z-index:99';
              return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }"""
        )
        self.page.wait_for_timeout(120)
        shot = decode_png(self.page.locator("#player").screenshot())
        self.page.evaluate("player.controls = true; player.style.cssText = ''")
        return read_counter(shot)

    def close(self) -> None:
        self.context.close()


def decode_png(data: bytes) -> npt.NDArray[np.uint8]:
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def busy_ms(watch: Watched, ticks: Any, code: str, times: int = 40) -> float:
    """CPU milliseconds that the page takes for some code and for drawing what it changed."""

    def spent() -> float:
        return {m["name"]: m["value"] for m in ticks.send("Performance.getMetrics")["metrics"]}[
            "TaskDuration"
        ]

    before = spent()
    watch.page.evaluate(
        f"""async () => {{
          for (let i = 0; i < {times}; i += 1) {{ {code}; await new Promise(requestAnimationFrame); }}
        }}"""
    )
    return 1000 * (spent() - before) / times


def point(page: Any, share: float) -> tuple[float, float]:
    """A place on the curve, at a share of the time line, in pixels of the window."""
    page.locator("#plot").scroll_into_view_if_needed()
    box = page.locator("#plot").bounding_box()
    return box["x"] + share * box["width"], box["y"] + 0.4 * box["height"]
