# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API server is meant where kubectl has no word in it: options, environment, the pod's account, api_server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import cluster_access
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.cluster_access import resolve
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ConnectionFailed

ALPHA, BETA = "https://alpha.test:6443", "https://beta.test"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home directory, in an environment that points to nothing."""
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "KUBE")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """Return the path of a kubeconfig with the contexts alpha and beta, of which alpha is the current one."""
    servers = {"alpha": ALPHA, "beta": BETA}
    content = {
        "current-context": "alpha",
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
        "users": [{"name": name, "user": {"token": f"of-{name}"}} for name in servers],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in servers],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a pod with a ServiceAccount."""
    (tmp_path / "account").mkdir()
    (tmp_path / "account" / "token").write_text("of-the-account", encoding="utf-8")
    monkeypatch.setattr(cluster_access, "SERVICE_ACCOUNT", tmp_path / "account")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")


def refusal(options: dict[str, Any]) -> str:
    """Return why nothing is used."""
    with pytest.raises(ConnectionFailed) as caught:
        resolve(options)
    return str(caught.value)


@pytest.mark.parametrize("options", [{"context": "alpha"}, {"kubeconfig": "<kubeconfig>"}])
@pytest.mark.parametrize(
    "variable",
    ["K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "K8S_AUTH_PASSWORD", "K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE",
     "K8S_AUTH_CA_CERT", "K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_IMPERSONATE_GROUPS"],
)  # fmt: skip
def test_the_environment_does_not_overrule_the_inventory(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], variable: str
) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    monkeypatch.setenv(variable, "MARKED")
    given = {name: value.replace("<kubeconfig>", kubeconfig) for name, value in options.items()}
    message = refusal(given)
    (name, value) = next(iter(given.items()))
    assert f"agentsmith_{name}, option {name}: {value}" in message
    assert f"the environment variable {variable} would overrule it" in message
    assert "MARKED" not in message


def test_the_environment_may_say_where_the_context_lies_and_how_it_is_reached(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "alpha")  # the option goes before it, as it always does
    monkeypatch.setenv("K8S_AUTH_PROXY", "http://proxy.test:3128")
    access = resolve({"context": "beta"})
    assert access.where == f"{BETA} (context beta)"
    assert access.proxy is not None
    assert access.proxy.url == "http://proxy.test:3128"
    monkeypatch.setenv("K8S_AUTH_NO_PROXY", "other.test,.beta.test,beta.test")
    assert resolve({"context": "beta"}).proxy is None


def test_a_host_of_the_inventory_and_another_cluster_of_the_environment(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "beta")
    assert "option host: https://alpha.test:6443" in refusal({"host": ALPHA})
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    assert resolve({"host": ALPHA, "api_key": "t"}).where == f"{ALPHA} (no context: host is given)"
    monkeypatch.delenv("K8S_AUTH_KUBECONFIG")
    monkeypatch.delenv("K8S_AUTH_CONTEXT")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "t")
    assert resolve({"host": ALPHA}).user == {"token": "t"}


def test_only_the_environment_names_the_cluster(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "beta")
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "no")
    access = resolve({})
    assert (access.server, access.user) == (BETA, {"token": "of-beta"})
    assert access.cluster["insecure-skip-tls-verify"]


@pytest.mark.usefixtures("pod")
def test_the_account_of_the_pod_comes_after_the_kubeconfig(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    access = resolve({})
    assert access.where == "https://[fd00::1]:443 (the ServiceAccount of this pod)"
    assert access.user["tokenFile"].endswith("account/token")
    assert resolve({"kubeconfig": kubeconfig}).server == ALPHA
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    assert resolve({}).server == ALPHA
    monkeypatch.setenv("KUBECONFIG", f"{kubeconfig}.missing")
    assert resolve({}).server == "https://[fd00::1]:443"
    assert "does not exist" in refusal({"kubeconfig": f"{kubeconfig}.missing"})
    assert resolve({"host": BETA}).user == {}  # the account's token goes to no other server


@pytest.mark.parametrize(
    ("meant", "agrees"),
    [
        (ALPHA, True),
        ("HTTPS://Alpha.test:6443/", True),
        ("https://alpha.test", False),
        ("http://alpha.test:6443", False),
        ("https://alpha.test:6443/k8s", False),
        (BETA, False),
    ],
)
def test_the_server_that_the_inventory_means(kubeconfig: str, meant: str, agrees: bool) -> None:
    options = {"kubeconfig": kubeconfig, "api_server": meant}
    if agrees:
        assert resolve(options).server == ALPHA
    else:
        message = refusal(options)
        assert f"means the API server {meant} (agentsmith_api_server, option api_server)" in message
        assert f"context alpha leads to {ALPHA}. Nothing was sent" in message


def test_the_default_port_need_not_be_written(kubeconfig: str) -> None:
    assert resolve({"kubeconfig": kubeconfig, "context": "beta", "api_server": f"{BETA}:443"}).server == BETA


@pytest.mark.parametrize(
    "meant", ["alpha.test:6443", "https://", "ftp://alpha.test", "https://u:MARKED@alpha.test", "x"]
)
def test_a_server_that_is_no_url(kubeconfig: str, meant: str) -> None:
    message = refusal({"kubeconfig": kubeconfig, "api_server": meant})
    assert "agentsmith_api_server (option api_server) is no URL of an API server" in message
    assert "MARKED" not in message


def test_a_server_with_a_password_in_its_url(kubeconfig: str) -> None:
    message = refusal({"kubeconfig": kubeconfig, "host": "https://u:MARKED@alpha.test"})
    assert "has a user or a password" in message
    assert "MARKED" not in message


def test_nothing_names_a_cluster(home: Path) -> None:
    assert f"The kubeconfig {home}/.kube/config (the default, because you named none) does not exist" in refusal({})


def test_a_file_that_may_not_be_read(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_arguments: Any, **_options: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    assert f"{kubeconfig} cannot be read: Permission denied" in refusal({"kubeconfig": kubeconfig})


def test_a_home_directory_of_nobody() -> None:
    assert "The kubeconfig ~nobody-at-all/config does not exist" in refusal({"kubeconfig": "~nobody-at-all/config"})


@pytest.mark.parametrize("proxy", ["ftp://u:MARKED@proxy.test", "http://", "http://proxy.test:port"])
def test_a_proxy_that_is_none(kubeconfig: str, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    message = refusal({"kubeconfig": kubeconfig})
    assert "the environment variable HTTPS_PROXY names no proxy" in message
    assert "MARKED" not in message
