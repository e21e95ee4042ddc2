# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API server is meant, and as whom: from options, environment, kubeconfig and the pod's ServiceAccount.

The outcome is what kubectl would use, or a refusal (client-go, package clientcmd). Options count as kubectl's flags do.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..objects.errors import ConnectionFailed
from .kubeconfig import Kubeconfig
from .proxy import Proxy, environment_proxy, is_excepted

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

# Options of the doc fragment `connection`, with the second name that some have in K8S_AUTH_*
OPTIONS = {
    "kubeconfig": "",
    "context": "",
    "host": "",
    "api_key": "",
    "username": "",
    "password": "",
    "validate_certs": "verify_ssl",
    "ca_cert": "ssl_ca_cert",
    "client_cert": "cert_file",
    "client_key": "key_file",
    "proxy": "",
    "no_proxy": "",
    "impersonate_user": "",
    "impersonate_groups": "",
}
_PROXY_HEADERS = ("proxy_basic_auth", "basic_auth", "user_agent")
# How the server is reached is the matter of the machine, not of the inventory.
_OF_THE_MACHINE = ("proxy", "no_proxy")
# Options that are enough to authenticate at `host` without any kubeconfig
_SUFFICIENT = (("api_key",), ("username", "password"), ("client_cert", "client_key"))


@dataclass(frozen=True)
class ClusterAccess:
    """An API server and how it is reached.

    ``cluster`` and ``user`` are entries as in a kubeconfig, with the options in them. ``source`` says for messages
    where they come from, ``user_name`` whose credentials they are.
    """

    server: str
    source: str
    user_name: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    proxy: Proxy | None
    proxy_headers: Mapping[str, Any]

    @property
    def where(self) -> str:
        """The server and where its name comes from, for messages."""
        return f"{self.server} ({self.source})"

    @property
    def is_tls(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.server.startswith("https:")


def resolve(options: Mapping[str, Any]) -> ClusterAccess:
    """Return what the options and the environment of this process lead to.

    :raises ConnectionFailed: when they lead to nothing usable, contradict each other, or lead to another server than
        the option C(api_server).
    """
    given = {name: options[name] for name in OPTIONS if options.get(name) is not None}
    environment = _from_environment(given)
    _refuse_overruling(given, environment)
    chosen = {**environment, **given}
    source, user_name, cluster, user = _entries(chosen)
    _override_cluster(chosen, cluster)
    server = _server_url(cluster, source)
    _refuse_another_server(options.get("api_server"), server, source)
    if server.startswith("http:"):  # kubectl sends no credentials of a kubeconfig in clear text
        user = {name: value for name, value in user.items() if name.startswith("as")}
    _override_user(chosen, user)
    headers = options.get("proxy_headers") or _proxy_headers_from_environment()
    return ClusterAccess(server, source, user_name, cluster, user, _proxy(server, cluster, chosen, source), headers)


def _from_environment(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what K8S_AUTH_* say for options that are not given."""
    found: dict[str, Any] = {}
    for name, second in OPTIONS.items():
        if name in given:
            continue
        variables = [f"K8S_AUTH_{part.upper()}" for part in (name, second) if part]
        text = next((os.environ[variable] for variable in variables if os.environ.get(variable)), "")
        if text and name == "validate_certs":
            found[name] = text.lower() not in ("0", "false", "no")
        elif text:
            found[name] = [part for part in text.split(",") if part] if name == "impersonate_groups" else text
    return found


def _proxy_headers_from_environment() -> dict[str, str]:
    found = {name: os.environ.get(f"K8S_AUTH_PROXY_HEADERS_{name.upper()}", "") for name in _PROXY_HEADERS}
    return {name: value for name, value in found.items() if value}


def _is_sufficient(options: Mapping[str, Any]) -> bool:
    return bool(options.get("host")) and any(all(options.get(name) for name in names) for names in _SUFFICIENT)


def _refuse_overruling(given: Mapping[str, Any], environment: dict[str, Any]) -> None:
    """Leave nothing of the environment that would lead away from the cluster and the user that the options name.

    :raises ConnectionFailed: when it has such a variable.
    """
    named = next((name for name in ("context", "kubeconfig", "host") if given.get(name)), None)
    if named is None:
        return
    if _is_sufficient(given):  # no kubeconfig is looked at
        for name in ("kubeconfig", "context"):
            environment.pop(name, None)
        return
    # A context lies in some kubeconfig, and a server asks for some credentials.
    complements: dict[str, tuple[str, ...]] = {
        "context": ("kubeconfig",),
        "kubeconfig": (),
        "host": ("api_key", "username", "password", "client_cert", "client_key", "ca_cert", "validate_certs"),
    }
    for name in environment:
        if name in _OF_THE_MACHINE or name in complements[named]:
            continue
        shown = "a dictionary" if isinstance(given[named], Mapping) else given[named]
        variable = next(
            variable
            for variable in (f"K8S_AUTH_{part.upper()}" for part in (name, OPTIONS[name]))
            if os.environ.get(variable)
        )
        advice = "" if named == "host" else f" Set agentsmith_{name} if you mean it." if name == "context" else ""
        fact = "option host" if named == "host" else f"agentsmith_{named}, option {named}"
        raise ConnectionFailed(
            f"The inventory names the cluster ({fact}: {shown}), and the environment variable {variable} would "
            f"overrule it. Nothing was sent. Unset {variable}, or take {named} out of the inventory.{advice}"
        )


def _entries(chosen: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Return words for the source, words for the user, and the cluster's and the user's entry."""
    if _is_sufficient(chosen):
        return "no context: host is given", "the options", {}, {}
    asked = str(chosen.get("context") or "")
    kubeconfig = Kubeconfig.load(chosen.get("kubeconfig"), asked)
    explicit = bool(chosen.get("kubeconfig") or asked)
    if not explicit and not (kubeconfig.exists and kubeconfig.current):
        if chosen.get("host"):
            return "no context: host is given", "the options", {}, {}
        account = _service_account()
        if account is not None:
            return "the ServiceAccount of this pod", "the ServiceAccount of this pod", *account
    if not kubeconfig.exists:
        raise kubeconfig.missing()
    name, cluster, user = kubeconfig.choose(asked)
    fault = _fault_in(cluster, user)
    if fault:
        raise kubeconfig.fault(f"context {name}: {fault}")
    source = f"context {name}"
    if chosen.get("host"):
        source += ", with another host"
    return source, f"context {name}", dict(cluster), dict(user)


def _service_account() -> tuple[dict[str, Any], dict[str, Any]] | None:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    token, authority = SERVICE_ACCOUNT / "token", SERVICE_ACCOUNT / "ca.crt"
    if not host or not port or not token.is_file():
        return None
    cluster = {"server": f"https://{f'[{host}]' if ':' in host else host}:{port}"}
    if authority.is_file():
        cluster["certificate-authority"] = str(authority)
    return cluster, {"tokenFile": str(token)}


def _fault_in(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> str:
    """Return why kubectl would refuse a cluster's or a user's entry; nothing where it would not."""
    if not cluster.get("server"):
        return "its cluster has no server"
    authority = cluster.get("certificate-authority") or cluster.get("certificate-authority-data")
    if cluster.get("insecure-skip-tls-verify") and authority:
        return "its cluster has both insecure-skip-tls-verify and a certificate authority; only one is allowed"
    for entry, name in ((cluster, "certificate-authority"), (user, "client-certificate"), (user, "client-key")):
        if entry.get(name) and entry.get(f"{name}-data"):
            return f"it has both {name} and {name}-data; only one is allowed"
    methods = [name for name, used in (("token", user.get("token")), ("username", user.get("username"))) if used]
    if len(methods) > 1:
        return "its user has both a token and a username; only one is allowed"
    if user.get("exec") is not None and user.get("auth-provider") is not None:
        return "its user has both exec and auth-provider; only one is allowed"
    certificate = user.get("client-certificate") or user.get("client-certificate-data")
    key = user.get("client-key") or user.get("client-key-data")
    if bool(certificate) != bool(key):
        return f"its user has a client {'certificate without a key' if certificate else 'key without a certificate'}"
    if not user.get("as") and any(user.get(name) for name in ("as-uid", "as-groups", "as-user-extra")):
        return "its user has as-uid, as-groups or as-user-extra without as"
    return ""


def _override_cluster(chosen: Mapping[str, Any], cluster: dict[str, Any]) -> None:
    """Put the options into the cluster's entry, as kubectl does with its flags."""
    if chosen.get("host"):
        cluster["server"] = chosen["host"]
        cluster.pop("tls-server-name", None)  # it belongs to the server of the kubeconfig
    if chosen.get("ca_cert"):
        cluster.pop("certificate-authority-data", None)
        cluster["certificate-authority"] = chosen["ca_cert"]
    if "validate_certs" in chosen:
        cluster["insecure-skip-tls-verify"] = not chosen["validate_certs"]
    if cluster.get("insecure-skip-tls-verify"):
        cluster.pop("certificate-authority", None)
        cluster.pop("certificate-authority-data", None)


def _override_user(chosen: Mapping[str, Any], user: dict[str, Any]) -> None:
    """Put the options into the user's entry, as kubectl does with its flags."""
    if chosen.get("api_key"):
        for name in ("tokenFile", "username", "password", "exec", "auth-provider"):
            user.pop(name, None)
        user["token"] = chosen["api_key"]
    if chosen.get("username"):
        for name in ("token", "tokenFile", "exec", "auth-provider"):
            user.pop(name, None)
        user["username"] = chosen["username"]
    if chosen.get("password"):
        user["password"] = chosen["password"]
    for option, name in (("client_cert", "client-certificate"), ("client_key", "client-key")):
        if chosen.get(option):
            user.pop(f"{name}-data", None)
            user[name] = chosen[option]
    if chosen.get("impersonate_user"):
        for name in ("as-uid", "as-groups", "as-user-extra"):
            user.pop(name, None)
        user["as"] = chosen["impersonate_user"]
    if chosen.get("impersonate_groups"):
        user["as-groups"] = chosen["impersonate_groups"]


def _server_url(cluster: Mapping[str, Any], source: str) -> str:
    text = str(cluster.get("server") or "").strip()
    parts = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConnectionFailed(
            f"The server of the cluster is no URL of an API server ({source}). Allowed: https://, a host, and a port "
            "if it is not 443. Correct it in the kubeconfig (server), or in the option host."
        )
    if parts.username or parts.password:
        raise ConnectionFailed(f"The URL of the cluster's server has a user or a password ({source}). Remove them.")
    return text.rstrip("/")


def _split(text: str) -> Any:
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return None
    return parts


def _normal(server: str) -> tuple[str, str, int, str] | None:
    parts = _split(server.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        return None
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")


def _refuse_another_server(meant: str | None, server: str, source: str) -> None:
    """Check the server against the one that the inventory means.

    :raises ConnectionFailed: when it is another one, or the option is no URL.
    """
    if not meant:
        return
    wanted = _normal(str(meant))
    if wanted is None:
        raise ConnectionFailed(
            "agentsmith_api_server (option api_server) is no URL of an API server. Allowed: https://, a host, and a "
            "port if it is not 443, as in the kubeconfig: kubectl config view --minify shows it as server."
        )
    if wanted != _normal(server):
        raise ConnectionFailed(
            f"The inventory means the API server {meant} (agentsmith_api_server, option api_server), but {source} "
            f"leads to {server}. Nothing was sent. Correct agentsmith_api_server, or agentsmith_kubeconfig and "
            "agentsmith_context."
        )


def _proxy(server: str, cluster: Mapping[str, Any], chosen: Mapping[str, Any], source: str) -> Proxy | None:
    if chosen.get("proxy"):
        parts = urlsplit(server)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if is_excepted(parts.hostname or "", port, str(chosen.get("no_proxy") or "")):
            return None
        return Proxy.parse(str(chosen["proxy"]), "the option proxy or K8S_AUTH_PROXY", "http")
    if cluster.get("proxy-url"):
        return Proxy.parse(str(cluster["proxy-url"]), f"proxy-url of {source}")
    return environment_proxy(server)
