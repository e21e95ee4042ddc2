# SPDX-License-Identifier: GPL-3.0-or-later
"""The page itself: three files, and nothing from anywhere else."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

_DIRECTORY = Path(__file__).parent / "page"
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}


async def page_file(request: web.Request) -> web.Response:
    """Answer one file of the page."""
    name, content_type = _FILES[request.path]
    text = (_DIRECTORY / name).read_text("utf-8")
    return web.Response(text=text, content_type=content_type, charset="utf-8", headers=_HEADERS)


def add_page_routes(router: web.UrlDispatcher) -> None:
    """Register the paths."""
    for path in _FILES:
        router.add_get(path, page_file)
