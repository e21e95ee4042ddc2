# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images of earlier builds a container engine may give up."""

from .command import LocalClusterError, ask


def removable_images(newest_first: list[str], repositories: list[str], keep: int, used: set[str]) -> list[str]:
    """Return the references of `newest_first` (`repository:tag`) that may go.

    Of each of the `repositories` the `keep` newest stay, and what a container is made of (`used`).
    """
    removable = []
    for repository in repositories:
        mine = [reference for reference in newest_first if reference.rpartition(":")[0] == repository]
        removable += [reference for reference in mine[keep:] if reference not in used]
    return removable


def remove_old_images(engine: str, repositories: list[str], keep: int, environment: dict[str, str]) -> list[str]:
    """Remove all but the `keep` newest images of each of the `repositories`; return what was removed.

    An image that `engine` does not give up, because a container has been made of it meanwhile, stays.
    Raises LocalClusterError where `engine` does not say what it has.
    """
    # Both engines list the newest first
    newest_first = _lines([engine, "images", "--format", "{{ .Repository }}:{{ .Tag }}"], environment)
    used = set(_lines([engine, "ps", "--all", "--format", "{{ .Image }}"], environment))
    return [
        reference
        for reference in removable_images(newest_first, repositories, keep, used)
        if ask([engine, "rmi", reference], environment=environment, timeout=60).status == 0
    ]


def _lines(argv: list[str], environment: dict[str, str]) -> list[str]:
    listed = ask(argv, environment=environment)
    if listed.status:
        raise LocalClusterError(f"{' '.join(argv[:2])} failed, so the images are not cleaned up: {listed.reason}")
    return listed.output.split("\n")
