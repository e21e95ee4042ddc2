# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the node image and the tools come from: a registry, or built on this machine."""

from collections.abc import Callable


def choose_source(
    preference: str,
    *,
    present: set[str],
    node: str,
    registry_image: str,
    built_image: str,
    registry_answers: Callable[[], bool],
) -> str:
    """Return `registry` or `build`.

    `preference` is `auto`, `registry` or `build`; `present` are the images that the engine has, `node` is the image of
    the running node or empty. What is there is used before anything is fetched or built; the registry, which is asked
    last because it costs time, goes before building.
    """
    if preference != "auto":
        return preference
    if node:
        return "build" if _repository(node) == _repository(built_image) else "registry"
    if _canonical(registry_image) in {_canonical(image) for image in present}:
        return "registry"
    if built_image in present:
        return "build"
    return "registry" if registry_answers() else "build"


def _repository(image: str) -> str:
    """Return `image` without digest, tag and Docker Hub's host, which docker leaves out and podman writes."""
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    if colon and "/" not in tail:
        name = head
    return name.removeprefix("docker.io/")


def _canonical(image: str) -> str:
    """Return `image` as engines list it, but for Docker Hub's host: a digest makes the tag superfluous."""
    _name, at, digest = image.partition("@")
    return f"{_repository(image)}@{digest}" if at else image.removeprefix("docker.io/")
