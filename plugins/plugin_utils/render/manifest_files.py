# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a list of Kubernetes objects is written to: their paths and texts, nothing of the disk.

Private to this collection.
"""

import re
import typing as t

from ..text.block_yaml import block_yaml

HEADER = "# Written by agentsmith.platform.write_manifests: the next run overwrites this file, or removes it.\n"

# kustomize looks for three names; of these only this one is no *.yaml, which `kubectl apply -f` takes for an object
KUSTOMIZATION = "Kustomization"

# `kubectl apply -f` and the Kustomization leave a directory below alone
SECRETS = "secrets"

WIDTH = 120  # characters of a line

_NOTE_ON_SECRETS = """\
# A Secret without its values. Neither the Kustomization nor `kubectl apply -f` on the directory above takes it, as
# applying it could empty the Secret of a running release. Fill in a copy that no repository ever sees, or make the
# Secret of this name and these keys by other means (Sealed Secrets, External Secrets, kubectl create secret).
"""


class FilesError(ValueError):
    """Objects that cannot be written. The message names objects, never their content."""


def file_texts(objects: list[dict[str, t.Any]], kept: t.Iterable[str] = ()) -> dict[str, str]:
    """Return the text of every file of `objects`, and of their Kustomization, by its path relative to the directory.

    The Kustomization also lists the `kept` files, which hold objects that are not among `objects`.
    """
    texts: dict[str, str] = {}
    for manifest in objects:
        path = _path(manifest)
        if path in texts:
            raise FilesError(f"Two objects would be written to {path}; an object may be in the list once.")
        texts[path] = _secret_text(manifest) if manifest["kind"] == "Secret" else HEADER + block_yaml(manifest, WIDTH)
    resources = sorted(path for path in {*texts, *kept} if "/" not in path and path != KUSTOMIZATION)
    texts[KUSTOMIZATION] = kustomization(resources)
    return texts


def kustomization(resources: list[str], patches: t.Sequence[dict[str, t.Any]] = ()) -> str:
    """Return the text of a Kustomization."""
    body = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
    return HEADER + block_yaml({**body, **({"patches": list(patches)} if patches else {})}, WIDTH)


def file_name(manifest: dict[str, t.Any]) -> str:
    """Return the name of an object's file."""
    return _path(manifest).rpartition("/")[2]


def _path(manifest: dict[str, t.Any]) -> str:
    try:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
    except (KeyError, TypeError):
        raise FilesError("An entry of objects has no kind or no metadata.name; it is no Kubernetes object.") from None
    stem = re.sub(r"[^a-z0-9.-]", "-", f"{kind}-{name}".lower())
    if kind == "Namespace":  # kubectl applies a directory in the order of its file names
        stem = f"00-{stem}"
    return f"{SECRETS}/{stem}.yaml" if kind == "Secret" else f"{stem}.yaml"


def _secret_text(manifest: dict[str, t.Any]) -> str:
    keys = sorted({*(manifest.get("data") or {}), *(manifest.get("stringData") or {})})
    bare = {field: value for field, value in manifest.items() if field not in ("data", "stringData")}
    to_fill_in = ["# stringData:\n", *(f'#   {key}: ""\n' for key in keys)] if keys else []
    return HEADER + _NOTE_ON_SECRETS + block_yaml(bare, WIDTH) + "".join(to_fill_in)
