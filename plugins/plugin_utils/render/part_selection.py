# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts of a release `--tags` and `--skip-tags` leave in.

All parts are rendered by one task, which has the tag `always`. A part is left in or out as a task of its own with the
part's name as its tag would be.
"""

from collections.abc import Collection


def is_selected(part: str, task_tags: Collection[str], run_tags: Collection[str], skip_tags: Collection[str]) -> bool:
    """Whether a part is rendered.

    :param task_tags: the tags of the task that renders all parts
    :param run_tags: `--tags`, `["all"]` without it
    :param skip_tags: `--skip-tags`
    """
    tags = {part, "all", "tagged", *task_tags} - {"always"}
    return not tags.isdisjoint(run_tags) and tags.isdisjoint(skip_tags)
