# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the configuration that is intended is in the ConfigMap, and in the Dispatcher's volume."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from .outcome import FAILED, NOT_CHECKED, Outcome, judged

FILE = "agentsmith.yml"


def check_config_map(check: str, name: str, config_map: Mapping[str, Any] | None, intended: str | None) -> Outcome:
    """The live ConfigMap has the intended text.

    :param intended: None where nobody says which; then it only has to be there.
    """
    if config_map is None or FILE not in (config_map.get("data") or {}):
        return Outcome(check, FAILED, f"ConfigMap {name} has no {FILE}", "Run agentsmith.platform.deploy.")
    found = config_map["data"][FILE]
    if intended is None:
        return Outcome(check, NOT_CHECKED, f"{digest(found)}; no release was given to compare it with")
    hint = (
        "Somebody changed it in the cluster, or the inventory changed and was not deployed. Compare them: "
        "agentsmith.platform.deploy --check --diff."
    )
    return judged(check, found == intended, _seen(found, intended, "the inventory"), hint)


def check_mounted(check: str, pods: Sequence[tuple[str, str]], intended: str) -> Outcome:
    """Every pod of the Dispatcher reads the intended text.

    :param pods: name of the pod and the text of its file.
    """
    other = [(pod, text) for pod, text in pods if text != intended]
    evidence = "\n".join(f"{pod}: {_seen(text, intended, 'the ConfigMap')}" for pod, text in other or pods[:1])
    hint = (
        "The kubelet updates a changed ConfigMap in its pods within two minutes. If it takes longer, check that the "
        "Deployment mounts it as a directory at /app/config."
    )
    return judged(check, not other, evidence, hint)


def digest(text: str) -> str:
    """Return the beginning of a text's SHA-256, enough to tell texts apart."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _seen(found: str, intended: str, where: str) -> str:
    if found == intended:
        return f"{digest(found)}, as in {where}"
    return f"{digest(found)}, but {digest(intended)} in {where}"
