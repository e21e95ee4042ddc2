# SPDX-License-Identifier: GPL-3.0-or-later
"""The built documentation site in a real browser: no page is wider than its window, no link is dead, the search works.

`make test-docs` builds the site first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from awaiting import await_condition
from chromium import Chromium, running_chromium

CHECKOUT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ["AGENTSMITH_SITE"]).resolve()
PAGES = sorted(SITE.rglob("*.html"))
REPOSITORY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
WIDTHS = {"computer": (1280, 800), "phone": (390, 844)}
WIDTH = "document.scrollingElement.scrollWidth"
# What sticks out, for the message: elements that end right of the window, but for those in a box that scrolls
WIDE = """[...document.querySelectorAll('article *')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .filter(element => !element.closest('.table-wrapper, pre'))
    .slice(0, 3).map(element => element.outerHTML.slice(0, 120))"""
# A table of options has two columns, and what an option means is in the second
CUT_OPTIONS = """[...document.querySelectorAll('.table-wrapper:has(> .ansible-option-table)')]
    .filter(wrapper => wrapper.scrollWidth > wrapper.clientWidth
        || getComputedStyle(wrapper).overflowY !== 'visible').length"""
LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.href)"
ANCHORS = "[...document.querySelectorAll('[id]')].map(element => element.id)"
BROKEN_PICTURES = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"


# What people look at, beside the tests: the first page, and a long one with tables
PICTURED = {"first": "index.html", "role": "collection/dispatcher_role.html"}


class Page(NamedTuple):
    """What a page is in the browser.

    `wide` has what sticks out, by the kind of window; `cut` the windows in which a table of options is cut.
    """

    links: set[str]
    anchors: set[str]
    broken_pictures: list[str]
    wide: dict[str, Any]
    cut: list[str]


def show(browser: Chromium, page: Path) -> None:
    browser.open(page.as_uri())
    await_condition(
        lambda: browser.evaluate(f"location.href === '{page.as_uri()}' && document.readyState === 'complete'")
    )


def look_at(browser: Chromium, page: Path) -> Page:
    show(browser, page)
    wide, cut = {}, []
    for window, (width, height) in WIDTHS.items():
        browser.resize(width, height)
        assert browser.evaluate("innerWidth") == width
        if (reached := browser.evaluate(WIDTH)) > width:
            wide[window] = (reached, browser.evaluate(WIDE))
        if browser.evaluate(CUT_OPTIONS):
            cut.append(window)
    links, anchors = browser.evaluate(LINKS), browser.evaluate(ANCHORS)
    return Page(set(links), set(anchors), browser.evaluate(BROKEN_PICTURES), wide, cut)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(browser: Chromium) -> dict[Path, Page]:
    return {page: look_at(browser, page) for page in PAGES}


def dead(link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link leads nowhere: on the site, or in the repository. Other sites are not asked."""
    parts = urlsplit(link)
    if link.startswith(REPOSITORY + "/") and "/main/" in parts.path:
        return not (CHECKOUT / parts.path.partition("/main/")[2]).exists()
    if parts.scheme != "file":
        return False
    target = Path(unquote(parts.path))
    if target not in pages:
        return not target.is_file()
    return bool(parts.fragment) and unquote(parts.fragment) not in pages[target].anchors


def test_the_site_has_its_parts() -> None:
    names = {page.relative_to(SITE).as_posix() for page in PAGES}
    assert {"index.html", "README.html", "playbooks.html", "CHANGELOG.html", "search.html"} <= names
    written = {path.relative_to(CHECKOUT).with_suffix(".html") for path in CHECKOUT.glob("docs/**/*.md")}
    written = {path.as_posix() for path in written if path.parts[1] != "docsite"}
    assert len(written) > 60
    assert written <= names
    roles = {f"collection/{path.name}_role.html" for path in (CHECKOUT / "roles").iterdir()}
    modules = {f"collection/{path.stem}_module.html" for path in (CHECKOUT / "plugins/modules").glob("*.py")}
    assert roles | modules <= names


def test_no_page_is_wider_than_its_window(pages: dict[Path, Page]) -> None:
    assert not {str(path.relative_to(SITE)): page.wide for path, page in pages.items() if page.wide}


def test_no_table_of_options_is_cut(pages: dict[Path, Page]) -> None:
    assert not {str(path.relative_to(SITE)): page.cut for path, page in pages.items() if page.cut}


def test_no_link_is_dead(pages: dict[Path, Page]) -> None:
    assert sum(len(page.links) for page in pages.values()) > 5000
    found = {
        (str(path.relative_to(SITE)), link) for path, page in pages.items() for link in page.links if dead(link, pages)
    }
    assert not found


def test_no_picture_is_broken(pages: dict[Path, Page]) -> None:
    assert not {str(path): page.broken_pictures for path, page in pages.items() if page.broken_pictures}


def test_nothing_comes_from_elsewhere() -> None:
    """A reader's browser asks nobody but the site for styles, scripts, letters and pictures."""
    loaded = ('<script src="http', '<link rel="stylesheet" type="text/css" href="http', '<img src="http')
    assert not [page for page in PAGES for part in loaded if part in page.read_text(encoding="utf-8")]


def test_it_leaves_pictures(browser: Chromium) -> None:
    """Before anybody has searched: what was searched for is marked on later pages."""
    directory = SITE.parent / "pictures"
    directory.mkdir(exist_ok=True)
    pictures = []
    for name, page in PICTURED.items():
        for window, (width, height) in WIDTHS.items():
            browser.resize(width, height)
            show(browser, SITE / page)
            picture = directory / f"{name}-{window}.png"
            browser.screenshot(picture)
            pictures.append(picture.read_bytes())
    assert len({*pictures}) == len(pictures) == 4


def test_the_search_finds_a_role_and_a_guide(browser: Chromium) -> None:
    browser.open((SITE / "search.html").as_uri() + "?q=redis_maxmemory")
    found = "[...document.querySelectorAll('#search-results li a')].map(link => link.href).join(' ')"
    await_condition(lambda: "redis" in str(browser.evaluate(found)))
    browser.open((SITE / "search.html").as_uri() + "?q=rollback")
    await_condition(lambda: "operate" in str(browser.evaluate(found)))
