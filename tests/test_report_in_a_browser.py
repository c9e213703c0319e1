"""The report in a browser: without a network, on a phone, on paper, and whether it can be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.reports import KINDS
from tests.test_report import contrast

PAGES = [*KINDS, "hostile"]
PAPER = 688  # pixels between the margins of an A4 page

# Each text that can be seen, with its colour and the one behind it, as #rrggbb
TEXTS = """
() => {
  const hex = (colour) => '#' + colour.match(/[\\d.]+/g).slice(0, 3)
    .map(part => Math.round(part).toString(16).padStart(2, '0')).join('');
  const isClear = (colour) => /, 0\\)$/.test(colour) || colour === 'none';
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const isDrawn = element instanceof SVGElement;
    // what keeps the lines of a drawing away from the same text in dark
    if (isDrawn && hex(style.fill) === '#ffffff' && !isClear(style.stroke)) continue;
    let behind = element;
    while (behind && isClear(getComputedStyle(behind).backgroundColor)) {
      behind = behind.parentElement;
    }
    found.push({
      text,
      colour: hex(isDrawn ? style.fill : style.color),
      behind: behind ? hex(getComputedStyle(behind).backgroundColor) : '#ffffff',
    });
  }
  return found;
}
"""
# Elements that reach beyond the page, but for those in a box that scrolls by itself
BEYOND = """
() => [...document.querySelectorAll('body *')]
  .filter(element => !element.closest('.scroll') && element.getClientRects().length)
  .filter(element => element.getBoundingClientRect().right
    > document.documentElement.clientWidth + 1)
  .map(element => element.outerHTML.slice(0, 80))
"""
WIDTH = "() => document.documentElement.scrollWidth"


def chromium() -> str | None:
    """Where the browser is."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CUSTSEG_BROWSER") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, or a skipped test; with CUSTSEG_REQUIRE_BROWSER=1 a failed one."""
    path = chromium()
    if path is None:
        reason = "no chromium was found on the PATH, nor one that CUSTSEG_BROWSER names"
        if os.environ.get("CUSTSEG_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


class Opened:
    """A page that is opened without a network; what it asked for and what it complained of."""

    def __init__(self, browser: Browser, path: Path, width: int) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": 800})
        self.page: Any = self.context.new_page()
        self.page.route("**/*", self._route)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def _route(self, route: Any) -> None:
        self.requests.append(route.request.url)
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_fits_and_asks_for_nothing(
    browser: Browser,
    written: dict[str, Path],
    kind: str,
    width: int,
) -> None:
    with Opened(browser, written[kind], width) as opened:
        assert opened.requests == [written[kind].as_uri()]
        assert not opened.complaints
        assert opened.page.evaluate(WIDTH) == width
        assert opened.page.evaluate(BEYOND) == []


def test_what_is_too_wide_scrolls_in_its_own_box(
    browser: Browser,
    written: dict[str, Path],
) -> None:
    with Opened(browser, written["twenty"], 360) as opened:
        box = opened.page.locator("#heat_map .scroll")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        assert box.evaluate("box => getComputedStyle(box).overflowX") == "auto"


@pytest.mark.parametrize("width", [360, 1200])
def test_one_of_two_drawings_is_shown(
    browser: Browser,
    written: dict[str, Path],
    width: int,
) -> None:
    with Opened(browser, written["full"], width) as opened:
        drawings = opened.page.locator("svg")
        shown = [drawing for drawing in drawings.all() if drawing.is_visible()]
        assert drawings.count() == 2 * len(shown) == 8
        for drawing in shown:
            box = drawing.bounding_box()
            assert box["width"] <= width
            # its texts are as large as they were made, and not squeezed
            assert box["width"] >= 0.9 * float(drawing.get_attribute("width"))


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("kind", PAGES)
def test_all_texts_can_be_read(
    browser: Browser,
    written: dict[str, Path],
    kind: str,
    width: int,
) -> None:
    with Opened(browser, written[kind], width) as opened:
        texts = opened.page.evaluate(TEXTS)
    assert len(texts) > 40
    assert [one for one in texts if contrast(one["colour"], one["behind"]) < 4.5] == []
    if kind == "full":
        assert len({one["behind"] for one in texts}) > 10, "cells have colours of their own"


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_can_be_printed(
    browser: Browser,
    written: dict[str, Path],
    kind: str,
) -> None:
    with Opened(browser, written[kind], PAPER) as opened:
        opened.page.emulate_media(media="print")
        assert opened.page.evaluate(WIDTH) <= PAPER
        assert opened.page.locator("nav").is_hidden()
        assert opened.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
