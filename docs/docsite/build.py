# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation site. Every warning is an error.

Usage: build.py TARGET      the pages are then in TARGET/html

The sources are the Markdown files of the repository, laid out in TARGET/source as they are there, so that a relative
link between two of them leads to the same file here and in the repository. (Sphinx follows symbolic links out of its
sources, so they are copies.) Beside them are the pages of this directory, and those that are made: of each module and
role by antsibull-docs, of the playbooks from the comments at their heads.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PROGRAMS = Path(sys.executable).parent
COLLECTION = "agentsmith.platform"
# What the site shows. dev and docker are there because others link to them.
SHOWN = ("*.md", "CHANGELOG.rst", "docs/**/*.md", "docs/images/*", "roles/**/*.md", "dev/**/*.md", "docker/**/*.md")
# The development machine is no part of the collection.
OF_THE_CHECKOUT = {"local_cluster"}


def playbook_page(playbooks: list[Path]) -> str:
    """One section a playbook: the comment at its head, whose indented lines are commands."""
    sections = [
        "# Playbooks",
        f"Each works by its full name, such as `{COLLECTION}.deploy`, "
        "and in a checkout by its path, such as `playbooks/deploy.yml`.",
    ]
    for playbook in playbooks:
        head, _, _ = playbook.read_text(encoding="utf-8").removeprefix("---\n").partition("- name: ")
        lines = [line.removeprefix("#").removeprefix(" ") for line in head.splitlines()]
        # A block of commands needs an empty line before it and behind it.
        text = re.sub(r"(?m)(^    .*\n)(?=\S)|(^\S.*\n)(?=    )", r"\g<0>\n", "\n".join(lines) + "\n")
        text = re.sub(r"\bdocs/[\w/-]+\.md", r"[\g<0>](\g<0>)", text)
        sections += [f"## {playbook.stem}", text.strip()]
    return "\n\n".join(sections) + "\n"


def assemble(source: Path) -> None:
    """Lay out the sources: what is written, beside what is made."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "pages", source)
    for path in (path for pattern in SHOWN for path in CHECKOUT.glob(pattern) if HERE not in path.parents):
        place = source / path.relative_to(CHECKOUT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    playbooks = sorted((CHECKOUT / "playbooks").glob("*.yml"))
    (source / "playbooks.md").write_text(
        playbook_page([path for path in playbooks if path.stem not in OF_THE_CHECKOUT]), encoding="utf-8"
    )


def describe_plugins(target: Path) -> None:
    """Have antsibull-docs write a page for each module, role and other plugin."""
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version"]
    target.mkdir()
    subprocess.run(
        [PROGRAMS / "antsibull-docs", "collection", *options, "--dest-dir", target, COLLECTION],
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        check=True,
    )
    index = target / "index.rst"
    index.write_text(sorted_index(index.read_text(encoding="utf-8")), encoding="utf-8")


def sorted_index(index: str) -> str:
    """Internal modules after those that users call, and short names beside the pages."""
    listed = re.compile(r"(?m)^\* .* \(internal\)\n")
    internal = "".join(listed.findall(index))
    index = re.sub(r"(?m)^    (\w+)_(module|callback|filter|lookup|role)$", r"    \1 <\1_\2>", listed.sub("", index))
    index = index.replace(
        "Agentsmith.Platform\n===================", "Modules, roles and plugins\n=========================="
    )
    heading = "Internal modules\n----------------\n\nOnly playbooks and roles of this collection call them."
    return f"{index}\n\n{heading}\n\n{internal}"


def main() -> int:
    target = Path(sys.argv[1]).resolve()
    source = target / "source"
    assemble(source)
    try:
        describe_plugins(source / "collection")
    except subprocess.CalledProcessError as error:
        return error.returncode  # antsibull-docs has said why
    shutil.rmtree(target / "html", ignore_errors=True)
    options = ["--fail-on-warning", "--nitpicky", "--quiet", "--fresh-env", "--builder=html", f"--conf-dir={HERE}"]
    return subprocess.run(
        [PROGRAMS / "sphinx-build", *options, f"--doctree-dir={target}/doctrees", source, target / "html"], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
