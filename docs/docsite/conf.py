# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings of the documentation site. build.py lays out its sources."""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path
from typing import Any

import yaml
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
INVENTORY = CHECKOUT / ".local/docs/ansible.inv"

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = copyright = GALAXY["authors"][0]
version = release = GALAXY["version"]

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
root_doc = "index"
exclude_patterns = ["docker/stand-in/config", "collection/environment_variables.rst"]
# As GitHub makes them: a link to a heading works in both
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]
highlight_language = "text"
default_role = "any"

# References to documentation of others. Its inventory is a text in this repository, so a build needs no network.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", str(INVENTORY))}

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"source_repository": GALAXY["repository"], "source_branch": "main", "source_directory": ""}

# A link in Markdown to something beside this page: ](path#heading)
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def compress(inventory: Path) -> None:
    """Write the inventory as Sphinx reads it: four lines of head, then compressed lines."""
    lines = (HERE / "ansible.inventory").read_text(encoding="utf-8").splitlines(keepends=True)
    head, body = lines[:4], [line for line in lines[4:] if not line.startswith("#")]
    inventory.parent.mkdir(parents=True, exist_ok=True)
    inventory.write_bytes("".join(head).encode() + zlib.compress("".join(body).encode()))


def lead_to_the_repository(app: Sphinx, document: str, content: list[str]) -> None:
    """Turn a link to what is no page, such as a role's defaults, into one to the file in the repository."""
    page = app.env.doc2path(document).relative_to(app.srcdir)

    def turn(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(CHECKOUT / page.parent / link[1]))
        if target.is_dir() and (target / "README.md").is_file():
            return f"]({link[1].rstrip('/')}/README.md{link[2] or ''})"
        if target.suffix in (".md", ".png", ".svg") or not target.exists():
            return link[0]
        return f"]({GALAXY['repository']}/{'tree' if target.is_dir() else 'blob'}/main/{target.relative_to(CHECKOUT)})"

    content[0] = LINK.sub(turn, content[0])


def leave_the_contents_to_the_theme(app: Sphinx, document: str, content: list[str]) -> None:
    """The theme lists the headings of each page beside it."""
    content[0] = re.sub(r"^\.\. contents::.*\n(   :.*\n)*", "", content[0], flags=re.MULTILINE)


def link_to_the_source(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Offer the source of a page to look at and to edit, if the repository has it under the page's name."""
    if not (CHECKOUT / f"{page}{context.get('page_source_suffix', '')}").is_file():
        context["theme_source_repository"] = ""


def setup(app: Sphinx) -> None:
    compress(INVENTORY)
    app.connect("source-read", lead_to_the_repository)
    app.connect("source-read", leave_the_contents_to_the_theme)
    app.connect("html-page-context", link_to_the_source)
