# SPDX-License-Identifier: GPL-3.0-or-later
"""What messages say about a kubeconfig: which context is meant, and why no client can be made from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

try:
    from kubernetes.config import KUBE_CONFIG_DEFAULT_LOCATION, ConfigException
    from kubernetes.config.kube_config import ENV_KUBECONFIG_PATH_SEPARATOR
except ImportError:  # reported by the connection, before anything here is called
    pass


def _paths(auth: Mapping[str, Any]) -> list[Path]:
    named = auth.get("kubeconfig") or KUBE_CONFIG_DEFAULT_LOCATION
    return [Path(part).expanduser() for part in str(named).split(ENV_KUBECONFIG_PATH_SEPARATOR) if part]


def _contents(auth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the content of the kubeconfig files that can be read, for messages only."""
    if isinstance(auth.get("kubeconfig"), dict):
        return [auth["kubeconfig"]]
    contents = []
    for path in _paths(auth):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        if isinstance(content, dict):
            contents.append(content)
    return contents


def context_of(auth: Mapping[str, Any]) -> str:
    """Return the words that name the context in use."""
    if auth.get("context"):
        return f"context {auth['context']}"
    if auth.get("host"):
        return "no context: host is given"
    for content in _contents(auth):
        if content.get("current-context"):
            return f"context {content['current-context']}"
    return "no context"


def configuration_fault(auth: Mapping[str, Any], error: Exception) -> str:
    """Say why no client could be configured from *auth*, as kubernetes.core names the options.

    Nothing that could come from inside a file is repeated: after "in", the Python client quotes the faulty entry, with
    its token or key.
    """
    asked = f"context {auth['context']}" if auth.get("context") else "its current context"
    if not isinstance(auth.get("kubeconfig"), dict):
        paths = _paths(auth)
        shown = ENV_KUBECONFIG_PATH_SEPARATOR.join(map(str, paths))
        if not any(path.exists() for path in paths):
            named = "" if auth.get("kubeconfig") else " (the default, because you named none)"
            return (
                f"The kubeconfig {shown}{named} does not exist; {asked} was to be used. Set agentsmith_kubeconfig "
                "(option kubeconfig, environment variable K8S_AUTH_KUBECONFIG) to a file on the control node. "
                "playbooks/local_cluster.yml writes the one of the local cluster."
            )
    else:
        shown = "given as a dictionary"
    entries = [entry for content in _contents(auth) for entry in content.get("contexts") or []]
    contexts = [str(entry.get("name")) for entry in entries if isinstance(entry, dict)]
    if auth.get("context") and auth["context"] not in contexts:
        return (
            f"The kubeconfig {shown} has no context {auth['context']}; it has: {', '.join(contexts) or 'none'}. "
            "Set agentsmith_context (option context, environment variable K8S_AUTH_CONTEXT) to one of them."
        )
    known = isinstance(error, ConfigException | OSError)
    detail = str(error).partition(" in ")[0] if known else f"it is malformed ({type(error).__name__})"
    return f"The kubeconfig {shown} cannot be used ({asked}): {detail}"
