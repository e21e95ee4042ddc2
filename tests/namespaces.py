# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces that a test makes and does not leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def removed(kubectl: Callable[..., str], *names: str) -> Iterator[None]:
    """Begin without these namespaces, and leave none of them in the end, whatever failed.

    The end does not wait for it; who needs the name next does, also for one that a run left that was cut off.
    """
    delete = f"delete namespaces --ignore-not-found {' '.join(names)}"
    kubectl(f"{delete} --timeout=120s")
    try:
        yield
    finally:
        kubectl(f"{delete} --wait=false")
