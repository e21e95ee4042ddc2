# SPDX-License-Identifier: GPL-3.0-or-later
"""The situations in which kubectl and the product are compared. Names in angle brackets are filled in by the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALIKE, REFUSED = "alike", "refused"
PLUGIN = """#!/bin/sh
cat <<END
{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/{version}", "status": {status}}}
END
"""


def cluster(server: str = "<alpha>", authority: str = "<one.data>", **more: Any) -> dict[str, Any]:
    """Return a cluster's entry; `_` in names stands for `-`."""
    entry = {"server": server, **({"certificate-authority-data": authority} if authority else {})}
    return entry | {name.replace("_", "-"): value for name, value in more.items()}


def user(**fields: Any) -> dict[str, Any]:
    """Return a user's entry; `_` in names stands for `-`."""
    return {name.replace("_", "-"): value for name, value in fields.items()}


def config(current: str = "", **contexts: tuple[Any, Any]) -> dict[str, Any]:
    """Return a kubeconfig: each context with a cluster and a user of its name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": name, "cluster": pair[0]} for name, pair in contexts.items() if pair[0] is not None],
        "users": [{"name": name, "user": pair[1]} for name, pair in contexts.items() if pair[1] is not None],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in contexts],
    }


ALPHA = config("alpha", alpha=(cluster(), user(token="a")))
BETA = config("beta", beta=(cluster("<beta>"), user(token="b")))
BOTH = config("alpha", alpha=(cluster(), user(token="a")), beta=(cluster("<beta>"), user(token="b")))


def one_user(**fields: Any) -> dict[str, Any]:
    """Return a kubeconfig for alpha with this user."""
    return config("alpha", alpha=(cluster(), user(**fields)))


def one_cluster(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a kubeconfig with this cluster."""
    return config("alpha", alpha=(entry, user(token="a")))


def exec_user(plugin: str = "token", **fields: Any) -> dict[str, Any]:
    """Return a kubeconfig whose user gets its credentials by a command."""
    specification = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": f"<dir>/plugin-{plugin}",
        "interactiveMode": "Never",
        **fields,
    }
    return one_user(exec={name: value for name, value in specification.items() if value is not None})


@dataclass(frozen=True)
class Case:
    """A situation. ``files``: by path below the test's directory, a kubeconfig or a text; the first is the default.

    ``kubeconfig``: what $KUBECONFIG has. ``outcome``: alike (the same requests, or none of both), or refused.
    ``flags``: the options that kubectl gets as flags, if they are not those of the product.
    """

    name: str
    files: Mapping[str, Any]
    outcome: str = ALIKE
    kubeconfig: str | None = "<files>/a"
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    flags: Mapping[str, Any] | None = None


def through(scheme: str, entry: str, **more: Any) -> dict[str, Any]:
    """Return a kubeconfig whose cluster is reached through a proxy."""
    return one_cluster(cluster("https://cluster.test:<alpha.port>", proxy_url=f"{scheme}://{entry}", **more))


FROM_HERE = one_cluster(cluster("https://<here>:<alpha.port>"))
NAMED = one_cluster(cluster("https://cluster.test:<alpha.port>"))
PROXY = {"HTTPS_PROXY": "http://<http.proxy>"}

CASES = [
    # Which files, which context
    Case("one file", {"a": ALPHA}),
    Case("two files, the first current-context", {"a": ALPHA, "b": BETA}, kubeconfig="<files>/a:<files>/b"),
    Case("two files, the other way round", {"a": ALPHA, "b": BETA}, kubeconfig="<files>/b:<files>/a"),
    Case(
        "a context of the second file",
        {"a": ALPHA, "b": BETA},
        kubeconfig="<files>/a:<files>/b",
        options={"context": "beta"},
    ),
    Case(
        "the same names in two files",
        {"a": ALPHA, "b": config("alpha", alpha=(cluster("<beta>"), user(token="b")))},
        kubeconfig="<files>/a:<files>/b",
    ),
    Case(
        "one user in two files is not merged",
        {"a": one_user(token="a"), "b": one_user(client_certificate="<alice.crt>", client_key="<alice.key>")},
        kubeconfig="<files>/a:<files>/b",
    ),
    Case(
        "cluster and context in files of their own",
        {"a": {**ALPHA, "users": []}, "b": {"users": ALPHA["users"]}},
        kubeconfig="<files>/a:<files>/b",
    ),
    Case(
        "current-context only in the second file",
        {"a": {**BOTH, "current-context": ""}, "b": {"current-context": "beta"}},
        kubeconfig="<files>/a:<files>/b",
    ),
    Case("an empty file first", {"a": ALPHA, "empty": ""}, kubeconfig="<files>/empty:<files>/a"),
    Case("a file of comments first", {"a": ALPHA, "empty": "# nothing\n"}, kubeconfig="<files>/empty:<files>/a"),
    Case("a missing file in the list", {"a": ALPHA}, kubeconfig="<files>/missing:<files>/a"),
    Case("empty entries in the list", {"a": ALPHA}, kubeconfig=":<files>/a::"),
    Case("a file twice in the list", {"a": ALPHA}, kubeconfig="<files>/a:<files>/a"),
    Case("the option before $KUBECONFIG", {"a": ALPHA, "b": BETA}, options={"kubeconfig": "<files>/b"}),
    Case("the default file", {"home/.kube/config": BETA}, kubeconfig=None),
    Case("an empty $KUBECONFIG means the default file", {"home/.kube/config": BETA}, kubeconfig=""),
    Case("only missing files", {"a": ALPHA}, kubeconfig="<files>/missing", words="does not exist"),
    Case(
        "a named file that is missing", {"a": ALPHA}, options={"kubeconfig": "<files>/missing"}, words="does not exist"
    ),
    Case("broken YAML", {"a": "contexts: [\n"}, words="is no YAML (line"),
    Case(
        "broken YAML in the second file",
        {"a": ALPHA, "b": "token: x\n  y: ["},
        kubeconfig="<files>/a:<files>/b",
        words="/b is no YAML",
    ),
    Case("a directory", {"a/b": ALPHA}, words="Is a directory"),
    Case("a text", {"a": "hello"}, words="holds no mapping"),
    Case("another kind", {"a": {**ALPHA, "kind": "Secret"}}, words="not v1 and Config"),
    Case("a number as token", {"a": one_user(token=123456)}, words="token of the user alpha is not of the type text"),
    Case("no current-context", {"a": {**ALPHA, "current-context": ""}}, words="has no current-context"),
    Case(
        "a current-context that is not there", {"a": {**ALPHA, "current-context": "prod"}}, words="has no context prod"
    ),
    Case("a context that is not there", {"a": ALPHA}, options={"context": "prod"}, words="has no context prod"),
    Case("a cluster that is not there", {"a": {**ALPHA, "clusters": []}}, words="names the cluster alpha"),
    Case("a user that is not there", {"a": {**ALPHA, "users": []}}, words="names the user alpha"),
    Case(
        "a context without a user",
        {"a": {**ALPHA, "contexts": [{"name": "alpha", "context": {"cluster": "alpha"}}]}},
        words="names no user",
    ),
    Case(
        "two contexts of one name",
        {"a": {**ALPHA, "contexts": ALPHA["contexts"] * 2}},
        words="two contexts have the name",
    ),
    Case(
        "a kubeconfig without apiVersion and kind",
        {"a": {name: ALPHA[name] for name in ("clusters", "contexts", "users", "current-context")}},
    ),
    # Relative paths
    Case(
        "relative paths",
        {
            "sub/a": config(
                "alpha",
                alpha=(
                    cluster(authority="", certificate_authority="../one.crt"),
                    user(client_certificate="../alice.crt", client_key="../alice.key"),
                ),
            ),
            "one.crt": "<one.text>",
            "alice.crt": "<alice.crt.text>",
            "alice.key": "<alice.key.text>",
        },
        kubeconfig="<files>/sub/a",
    ),
    Case(
        "a relative tokenFile",
        {"sub/a": one_user(tokenFile="token"), "sub/token": "from-file\n"},
        kubeconfig="<files>/sub/a",
    ),
    Case(
        "a relative command",
        {
            "sub/a": exec_user(command="./plugin"),
            "sub/plugin": PLUGIN.format(version="v1", status='{"token": "relative"}'),
        },
        kubeconfig="<files>/sub/a",
    ),
    # The server
    Case("a path in the server's URL", {"a": one_cluster(cluster("<alpha>/k8s/clusters/c-1"))}),
    Case("a slash at the end", {"a": one_cluster(cluster("<alpha>/"))}),
    Case(
        "no scheme, with an authority",
        {"a": one_cluster(cluster("127.0.0.1:<alpha.port>"))},
        words="is no URL of an API",
    ),
    Case(
        "no scheme, without TLS",
        {"a": one_cluster(cluster("127.0.0.1:<clear.port>", ""))},
        REFUSED,
        words="is no URL of an API",
    ),
    Case("no scheme, a name", {"a": one_cluster(cluster("localhost:<alpha.port>"))}, words="is no URL of an API"),
    Case("no server", {"a": one_cluster({"certificate-authority-data": "<one.data>"})}, words="has no server"),
    Case(
        "another scheme",
        {"a": one_cluster(cluster("ftp://127.0.0.1:<alpha.port>"))},
        REFUSED,
        words="is no URL of an API",
    ),
    Case("clear text, and no token in it", {"a": one_cluster(cluster("<clear>", ""))}),
    # Trust
    Case("a certificate of another authority", {"a": one_cluster(cluster("<gamma>"))}, words="is not trusted"),
    Case("no authority", {"a": one_cluster(cluster(authority=""))}, words="is not trusted"),
    Case(
        "an authority that is no certificate",
        {"a": one_cluster(cluster(authority="bm90aGluZw=="))},
        words="no certificate in",
    ),
    Case("an authority that is no base64", {"a": one_cluster(cluster(authority="%%%"))}, words="is not base64"),
    Case(
        "a file of the authority that is missing",
        {"a": one_cluster(cluster(authority="", certificate_authority="missing"))},
        words="cannot be read",
    ),
    Case(
        "an authority in a file and inline",
        {"a": one_cluster(cluster(certificate_authority="<other.ca>"))},
        words="both certificate-authority and certificate-authority-data",
    ),
    Case("insecure-skip-tls-verify", {"a": one_cluster(cluster("<gamma>", "", insecure_skip_tls_verify=True))}),
    Case(
        "insecure-skip-tls-verify with an authority",
        {"a": one_cluster(cluster(insecure_skip_tls_verify=True))},
        words="only one is allowed",
    ),
    Case("the option validate_certs", {"a": one_cluster(cluster("<gamma>"))}, options={"validate_certs": False}),
    Case("the option ca_cert", {"a": one_cluster(cluster("<gamma>", ""))}, options={"ca_cert": "<other.ca>"}),
    Case("certificates without identifiers of their keys", {"a": one_cluster(cluster("<strict>", "<plain.data>"))}),
    Case("a server's own certificate as authority", {"a": one_cluster(cluster("<alpha>", "<alpha.data>"))}),
    Case("an expired certificate", {"a": one_cluster(cluster("<expired>"))}, words="has expired"),
    Case("a certificate for another name", {"a": one_cluster(cluster("<named>"))}, words="tls-server-name"),
    Case("tls-server-name", {"a": one_cluster(cluster("<named>", tls_server_name="internal.test"))}),
    Case(
        "tls-server-name that is wrong",
        {"a": one_cluster(cluster("<alpha>", tls_server_name="internal.test"))},
        words="is not trusted",
    ),
    Case(
        "the option host drops tls-server-name",
        {"a": one_cluster(cluster("<named>", tls_server_name="internal.test"))},
        options={"host": "<beta>"},
    ),
    Case("a name gets SNI", {"a": one_cluster(cluster("https://localhost:<alpha.port>"))}),
    Case(
        "a port without TLS", {"a": one_cluster(cluster("https://127.0.0.1:<clear.port>"))}, words="does not speak TLS"
    ),
    # Who asks
    Case("user and password", {"a": one_user(username="u", password="p")}),
    Case("a token and a user", {"a": one_user(token="a", username="u", password="p")}, words="only one is allowed"),
    Case("tokenFile", {"a": one_user(tokenFile="<files>/token"), "token": " from-file\n"}),
    Case("tokenFile before token", {"a": one_user(token="a", tokenFile="<files>/token"), "token": "from-file"}),
    Case("a tokenFile that is missing", {"a": one_user(tokenFile="<files>/missing")}, words="cannot be read"),
    Case("a client certificate", {"a": one_user(client_certificate="<alice.crt>", client_key="<alice.key>")}),
    Case(
        "a client certificate, inline",
        {"a": one_user(client_certificate_data="<alice.crt.data>", client_key_data="<alice.key.data>")},
    ),
    Case(
        "a client certificate and a token",
        {"a": one_user(token="a", client_certificate="<alice.crt>", client_key="<alice.key>")},
    ),
    Case(
        "a client certificate inline and in a file",
        {
            "a": one_user(
                client_certificate="<bob.crt>",
                client_key="<bob.key>",
                client_certificate_data="<alice.crt.data>",
                client_key_data="<alice.key.data>",
            )
        },
        words="only one is allowed",
    ),
    Case(
        "a client certificate without its key", {"a": one_user(client_certificate="<alice.crt>")}, words="without a key"
    ),
    Case(
        "a client certificate with another key",
        {"a": one_user(client_certificate="<alice.crt>", client_key="<bob.key>")},
        words="do not belong together",
    ),
    Case(
        "impersonation",
        {
            "a": one_user(
                token="a",
                **{"as": "eve", "as_groups": ["g", "h"], "as_uid": "7", "as_user_extra": {"Reason/x": ["why"]}},
            )
        },
    ),
    Case("groups without a user", {"a": one_user(token="a", as_groups=["g"])}, words="without as"),
    Case(
        "the option impersonate_user",
        {"a": ALPHA},
        options={"impersonate_user": "eve", "impersonate_groups": ["g", "h"]},
    ),
    Case("the option api_key", {"a": ALPHA}, options={"context": "alpha", "api_key": "other"}),
    Case("the option username", {"a": one_user()}, options={"username": "u", "password": "p"}),
    Case(
        "the options of a client certificate",
        {"a": one_user()},
        options={"client_cert": "<alice.crt>", "client_key": "<alice.key>"},
    ),
    Case("the option host", {"a": ALPHA}, options={"host": "<beta>"}),
    Case("a provider that was removed", {"a": one_user(**{"auth-provider": {"name": "gcp"}})}, words="removed"),
    Case(
        "OpenID Connect",
        {
            "a": one_user(
                **{
                    "auth-provider": {
                        "name": "oidc",
                        "config": {"id-token": "<jwt>", "idp-issuer-url": "https://issuer.test", "client-id": "c"},
                    }
                }
            )
        },
    ),
    Case(
        "an id-token that has expired",
        {
            "a": one_user(
                **{
                    "auth-provider": {
                        "name": "oidc",
                        "config": {"id-token": "<old.jwt>", "idp-issuer-url": "https://127.0.0.1:1", "client-id": "c"},
                    }
                }
            )
        },
        words="Run kubectl",
    ),
    # Commands for credentials
    Case("a command that gets a token", {"a": exec_user()}),
    Case(
        "v1beta1 without interactiveMode",
        {"a": exec_user("beta", apiVersion="client.authentication.k8s.io/v1beta1", interactiveMode=None)},
    ),
    Case("v1 without interactiveMode", {"a": exec_user(interactiveMode=None)}, words="interactiveMode"),
    Case("v1alpha1", {"a": exec_user(apiVersion="client.authentication.k8s.io/v1alpha1")}, words="apiVersion must be"),
    Case("a command that gets a client certificate", {"a": exec_user("certificate")}),
    Case(
        "variables and arguments of a command",
        {"a": exec_user("echo", args=["one"], env=[{"name": "WHO", "value": "two"}])},
    ),
    Case("the cluster for a command", {"a": exec_user("info", provideClusterInfo=True)}),
    Case(
        "what the cluster says to a command",
        {
            "a": config(
                "alpha",
                alpha=(
                    cluster(
                        "https://127.0.0.1:<named.port>",
                        tls_server_name="internal.test",
                        extensions=[{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}],
                    ),
                    exec_user("info", provideClusterInfo=True)["users"][0]["user"],
                ),
            )
        },
    ),
    Case(
        "a token before a command",
        {
            "a": one_user(
                token="a",
                exec={
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "<dir>/plugin-token",
                    "interactiveMode": "Never",
                },
            )
        },
    ),
    Case("a command that fails", {"a": exec_user("failing")}, words="the session has ended, run login"),
    Case(
        "a command that is not there",
        {"a": exec_user("missing", installHint="Get it from the shop.")},
        words="from the shop",
    ),
    Case("a command that writes no JSON", {"a": exec_user("words")}, words="wrote no ExecCredential"),
    Case("a command that writes no token", {"a": exec_user("nothing")}, words="neither a token"),
    Case("a command of another version", {"a": exec_user("beta")}, words="another apiVersion"),
    Case("a command that wants a terminal", {"a": exec_user(interactiveMode="Always")}, words="no terminal"),
    Case(
        "a command and a provider",
        {
            "a": one_user(
                exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "x", "interactiveMode": "Never"},
                **{"auth-provider": {"name": "oidc"}},
            )
        },
        words="only one is allowed",
    ),
    # Proxies
    Case("proxy-url, http", {"a": through("http", "<http.proxy>")}),
    Case("proxy-url, https", {"a": through("https", "<tls.proxy>")}),
    Case("proxy-url, socks5", {"a": through("socks5", "<socks.proxy>")}),
    Case("proxy-url with user and password", {"a": through("http", "user:p%40ss@<asking.proxy>")}),
    Case("proxy-url, socks5 with user and password", {"a": through("socks5", "user:p%40ss@<socks_asking.proxy>")}),
    Case(
        "proxy-url without the password",
        {"a": through("http", "<asking.proxy>")},
        words="asks for a user and a password (407)",
    ),
    Case("proxy-url of another scheme", {"a": through("ftp", "<http.proxy>")}, words="names no proxy"),
    Case("proxy-url without a scheme", {"a": one_cluster(cluster(proxy_url="<http.proxy>"))}, words="names no proxy"),
    Case("proxy-url for loopback", {"a": one_cluster(cluster(proxy_url="http://<http.proxy>"))}),
    Case(
        "proxy-url before HTTPS_PROXY and NO_PROXY",
        {"a": through("http", "<http.proxy>")},
        environment={"HTTPS_PROXY": "http://<asking.proxy>", "NO_PROXY": "*"},
    ),
    Case(
        "proxy-url with tls-server-name",
        {
            "a": one_cluster(
                cluster("https://x.test:<named.port>", proxy_url="http://<http.proxy>", tls_server_name="internal.test")
            )
        },
    ),
    Case("proxy-url to clear text", {"a": one_cluster(cluster("<clear>", "", proxy_url="http://<http.proxy>"))}),
    Case(
        "proxy-url to clear text without the password",
        {"a": one_cluster(cluster("<clear>", "", proxy_url="http://<asking.proxy>"))},
        words="asks for a user and a password (407)",
    ),
    Case("a proxy that is away", {"a": through("http", "127.0.0.1:9")}, words="cannot be used"),
    Case("HTTPS_PROXY", {"a": NAMED}, environment=PROXY),
    Case("https_proxy", {"a": NAMED}, environment={"https_proxy": "http://<http.proxy>"}),
    Case("both, in capitals first", {"a": NAMED}, environment={**PROXY, "https_proxy": "http://<asking.proxy>"}),
    Case("HTTPS_PROXY without a scheme", {"a": NAMED}, environment={"HTTPS_PROXY": "<http.proxy>"}),
    Case(
        "HTTPS_PROXY with user and password",
        {"a": NAMED},
        environment={"HTTPS_PROXY": "http://user:p%40ss@<asking.proxy>"},
    ),
    Case("HTTPS_PROXY, socks5", {"a": NAMED}, environment={"HTTPS_PROXY": "socks5://<socks.proxy>"}),
    Case("HTTP_PROXY is not for https", {"a": FROM_HERE}, environment={"HTTP_PROXY": "http://<http.proxy>"}),
    Case("ALL_PROXY counts for nothing", {"a": FROM_HERE}, environment={"ALL_PROXY": "http://<http.proxy>"}),
    Case("loopback by address", {"a": ALPHA}, environment=PROXY),
    Case("loopback by name", {"a": one_cluster(cluster("https://localhost:<alpha.port>"))}, environment=PROXY),
    *(
        Case(f"NO_PROXY={entry}", {"a": NAMED if named else FROM_HERE}, environment={**PROXY, "NO_PROXY": entry})
        for entry, named in {
            "<here>": False,
            "<here>/16": False,
            "10.99.0.0/16": False,
            "<here>:<alpha.port>": False,
            "<here>:1": False,
            "*": False,
            " x.test , <here> ": False,
            "CLUSTER.test": True,
            "test": True,
            ".test": True,
            "*.test": True,
            ".cluster.test": True,
            "luster.test": True,
        }.items()
    ),
    Case("no_proxy", {"a": FROM_HERE}, environment={**PROXY, "no_proxy": "<here>"}),
    # What the inventory names, and the environment beside it
    *(
        Case(
            f"{variable} beside a context",
            {"a": BOTH},
            REFUSED,
            options={"context": "alpha"},
            environment={variable: value},
            words=variable,
        )
        for variable, value in {
            "K8S_AUTH_HOST": "<beta>",
            "K8S_AUTH_API_KEY": "z",
            "K8S_AUTH_USERNAME": "z",
            "K8S_AUTH_CLIENT_CERT": "<alice.crt>",
            "K8S_AUTH_SSL_CA_CERT": "<other.ca>",
            "K8S_AUTH_VERIFY_SSL": "false",
            "K8S_AUTH_IMPERSONATE_USER": "eve",
        }.items()
    ),
    Case(
        "K8S_AUTH_CONTEXT beside a kubeconfig",
        {"a": BOTH},
        REFUSED,
        options={"kubeconfig": "<files>/a"},
        environment={"K8S_AUTH_CONTEXT": "beta"},
        words="K8S_AUTH_CONTEXT",
    ),
    *(
        Case(f"{variable} alone", {"a": BOTH, "b": BETA}, environment={variable: value}, flags={option: told})
        for variable, option, value, told in (
            ("K8S_AUTH_KUBECONFIG", "kubeconfig", "<files>/b", "<files>/b"),
            ("K8S_AUTH_CONTEXT", "context", "beta", "beta"),
            ("K8S_AUTH_HOST", "host", "<beta>", "<beta>"),
            ("K8S_AUTH_API_KEY", "api_key", "z", "z"),
            ("K8S_AUTH_VERIFY_SSL", "validate_certs", "no", False),
            ("K8S_AUTH_CA_CERT", "ca_cert", "<other.ca>", "<other.ca>"),
            ("K8S_AUTH_IMPERSONATE_USER", "impersonate_user", "eve", "eve"),
        )
    ),
    Case("KUBERNETES_MASTER beside a kubeconfig", {"a": ALPHA}, environment={"KUBERNETES_MASTER": "<beta>"}),
]
