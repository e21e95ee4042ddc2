# SPDX-License-Identifier: GPL-3.0-or-later
"""How Slack's requests come in: an Ingress or an HTTPRoute, each with its certificate, or nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from certificate_authority import issue
from cryptography import x509
from documented_values import documented_values

HOST = "agentsmith.example.com"
NOW = datetime.now(UTC)
ROOT = issue("root", now=NOW)
SERVER = issue("server", ROOT, (x509.DNSName(HOST),), now=NOW)
ENDING = issue("server", ROOT, (x509.DNSName(HOST),), now=NOW, days=(-1, 7))
PUBLIC = {"agentsmith_public_url": f"https://{HOST}"}
PROXIES = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "proxies"}}}]
NODES = [{"ipBlock": {"cidr": "10.0.0.0/24"}}]
NOBODY = [{"podSelector": {"matchLabels": {"app": "agentsmith-dispatcher"}}}]
INGRESS = {**PUBLIC, "dispatcher_route": "ingress", "dispatcher_network_policy_from": PROXIES}
HTTPROUTE = {**PUBLIC, "dispatcher_route": "httproute", "dispatcher_network_policy_from": PROXIES}
LIMITS = [{"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "limits"}}]
ROUTE_OF_OTHERS = {
    "apiVersion": "route.openshift.io/v1",
    "kind": "Route",
    "metadata": {"name": "mine", "namespace": "agentsmith"},
    "spec": {"to": {"kind": "Service", "name": "agentsmith-dispatcher"}},
}
OWN_GATEWAY = {**HTTPROUTE, "dispatcher_gateway_class": "envoy"}
OWN_CERTIFICATE = {
    "dispatcher_tls": "certificate",
    "vault_tls_certificate": SERVER.pem + ROOT.pem,
    "vault_tls_key": SERVER.key_pem(),
}
REDIRECT = "HTTPRoute/agentsmith-redirect"
CHALLENGE = "/.well-known/acme-challenge/token"
ROUTE_KINDS = {"Ingress", "HTTPRoute", "Gateway", "Certificate"}

SOUND: dict[str, dict[str, Any]] = {
    "none": {},
    # Somebody else's route
    "none-public": {**PUBLIC, "dispatcher_network_policy_from": PROXIES},
    "none-own-route": {"extra_objects": [ROUTE_OF_OTHERS], "dispatcher_network_policy_from": NODES},
    "ingress": {
        **INGRESS,
        "dispatcher_ingress_class": "haproxy",
        "dispatcher_route_annotations": {"limit": "5"},
        "dispatcher_route_paths": ["/slack", "/health"],
        "dispatcher_tls": "secret",
        "dispatcher_tls_secret_name": "company-tls",
    },
    "ingress-plain": INGRESS,
    "ingress-host-network": {**INGRESS, "dispatcher_network_policy_from": NODES},
    "ingress-everybody": {**INGRESS, "dispatcher_network_policy_from": []},
    "ingress-issuer": {**INGRESS, "dispatcher_tls": "issuer", "dispatcher_tls_issuer": {"name": "letsencrypt"}},
    "ingress-certificate": {**INGRESS, **OWN_CERTIFICATE},
    "gateway-of-others": {
        **HTTPROUTE,
        "dispatcher_gateways": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
    },
    "gateway-of-others-with-redirect": {
        **HTTPROUTE,
        "dispatcher_gateways": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        "dispatcher_redirect_gateways": [{"name": "public", "namespace": "gateways", "sectionName": "http"}],
    },
    "gateway": {**OWN_GATEWAY, **OWN_CERTIFICATE},
    "gateway-issuer": {**OWN_GATEWAY, "dispatcher_tls": "issuer", "dispatcher_tls_issuer": {"name": "letsencrypt"}},
    "gateway-secret": {
        **OWN_GATEWAY,
        "dispatcher_tls": "secret",
        # One that takes in the path of the challenge
        "dispatcher_route_paths": ["/", "/slack"],
        "agentsmith_public_url": f"https://{HOST}:8443",
    },
    "gateway-other-ports": {
        **OWN_GATEWAY,
        "dispatcher_tls": "secret",
        "dispatcher_gateway_http_port": 8000,
        "dispatcher_gateway_https_port": 8443,
    },
    "gateway-plain": {
        **OWN_GATEWAY,
        "dispatcher_route_filters": LIMITS,
        "dispatcher_route_annotations": {"limit": "5"},
    },
    # Where it does not matter where the proxies run
    "gateway-no-policy": {
        **OWN_GATEWAY,
        "dispatcher_network_policy_from": None,
        "dispatcher_network_policy_enabled": False,
        "namespace_default_deny": False,
    },
    "gateway-node-port": {
        **OWN_GATEWAY,
        "dispatcher_network_policy_from": None,
        "dispatcher_service_type": "NodePort",
    },
    "ending": {
        **INGRESS,
        **OWN_CERTIFICATE,
        "vault_tls_certificate": ENDING.pem,
        "vault_tls_key": ENDING.key_pem(),
    },
}
NO_DEFAULT = (
    "It has no default where requests come through a route. Name the pods of your Gateway or ingress controller"
)
# host -> (variables, texts that its message must have)
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "bad-url": (
        {"agentsmith_public_url": "http://agentsmith.example.com/bot"},
        ["dispatcher_public_url is 'http://agentsmith.example.com/bot'. Allowed: https://host"],
    ),
    "bad-no-host": (
        {"dispatcher_route": "ingress", "dispatcher_network_policy_from": PROXIES},
        ["dispatcher_host does not fit. Allowed: the host that Slack"],
    ),
    "bad-path": (
        {**INGRESS, "dispatcher_route_paths": ["slack"]},
        ["dispatcher_route_paths[0] is 'slack'. Allowed: a path that begins with a slash"],
    ),
    # Kubernetes refuses them, in words of its own
    "bad-paths": (
        {**OWN_GATEWAY, "dispatcher_route_paths": ["/slack//events", "/slack/../health", "/.", ""]},
        [f"dispatcher_route_paths[{number}] is" for number in range(4)],
    ),
    "bad-no-gateway": (
        HTTPROUTE,
        ["dispatcher_gateways does not fit. Allowed: with dispatcher_route httproute, the Gateways"],
    ),
    "bad-gateway-from-nowhere": (
        {**OWN_GATEWAY, "dispatcher_network_policy_from": None},
        [f"dispatcher_network_policy_from cannot be read: {NO_DEFAULT}"],
    ),
    # The default class of the cluster is no better known than another
    "bad-ingress-from-nowhere": (
        {**INGRESS, "dispatcher_network_policy_from": None},
        [f"dispatcher_network_policy_from cannot be read: {NO_DEFAULT}"],
    ),
    "bad-nginx-from-nowhere": (
        {**INGRESS, "dispatcher_ingress_class": "nginx", "dispatcher_network_policy_from": None},
        [f"dispatcher_network_policy_from cannot be read: {NO_DEFAULT}"],
    ),
    "bad-public-from-nowhere": (PUBLIC, [f"dispatcher_network_policy_from cannot be read: {NO_DEFAULT}"]),
    "bad-own-route-from-nowhere": (
        {"extra_objects": [ROUTE_OF_OTHERS]},
        [f"dispatcher_network_policy_from cannot be read: {NO_DEFAULT}"],
    ),
    "bad-filters": (
        {**INGRESS, "dispatcher_route_filters": LIMITS},
        ["dispatcher_route_filters does not fit. Allowed: only with dispatcher_route httproute"],
    ),
    "bad-both": ({**INGRESS, "dispatcher_gateways": [{"name": "public"}]}, ["with another route neither"]),
    "bad-two-gateways": (
        {**OWN_GATEWAY, "dispatcher_gateways": [{"name": "public"}], "dispatcher_tls": "secret"},
        ["dispatcher_gateway_class does not fit. Allowed: one of", "dispatcher_tls does not fit. Allowed: none with"],
    ),
    "bad-redirect": (
        {**OWN_GATEWAY, "dispatcher_redirect_gateways": [{"name": "public", "sectionName": "http"}]},
        ["dispatcher_redirect_gateways does not fit. Allowed: only with dispatcher_gateways"],
    ),
    "bad-redirect-of-itself": (
        {
            **HTTPROUTE,
            "dispatcher_gateways": [{"name": "public", "sectionName": "web"}],
            "dispatcher_redirect_gateways": [{"name": "public", "sectionName": "web"}],
        },
        ["dispatcher_redirect_gateways does not fit. Allowed: other listeners than those of dispatcher_gateways"],
    ),
    "bad-redirect-of-itself-by-namespace": (
        {
            **HTTPROUTE,
            "dispatcher_gateways": [{"name": "public", "namespace": "agentsmith"}],
            "dispatcher_redirect_gateways": [{"name": "public", "sectionName": "http"}],
        },
        ["dispatcher_redirect_gateways does not fit. Allowed: other listeners than those of dispatcher_gateways"],
    ),
    "bad-ports": (
        {**OWN_GATEWAY, "dispatcher_gateway_http_port": 0, "dispatcher_gateway_https_port": 65536},
        ["dispatcher_gateway_http_port is '0'. Allowed:", "dispatcher_gateway_https_port is '65536'. Allowed:"],
    ),
    "bad-one-port": (
        {**OWN_GATEWAY, "dispatcher_gateway_http_port": 8080, "dispatcher_gateway_https_port": 8080},
        ["dispatcher_gateway_https_port does not fit. Allowed: another port than dispatcher_gateway_http_port"],
    ),
    "bad-unused-tls": ({"dispatcher_tls": "secret"}, ["dispatcher_tls does not fit. Allowed: none where"]),
    "bad-issuer": ({**INGRESS, "dispatcher_tls": "issuer"}, ["dispatcher_tls_issuer does not fit. Allowed: the name"]),
    "bad-certificate": (
        {
            **INGRESS,
            **OWN_CERTIFICATE,
            "dispatcher_host": "other.example.com",
            "vault_tls_key": ROOT.key_pem(),
        },
        [
            f"dispatcher_tls_certificate is for {HOST}, not for other.example.com.",
            "dispatcher_tls_key is not the key of the certificate (CN=server).",
        ],
    ),
    "bad-empty": (
        {**INGRESS, "dispatcher_tls": "certificate"},
        [
            "dispatcher_tls_certificate holds no certificate in PEM",
        ],
    ),
    "bad-placeholder": (
        {**INGRESS, **OWN_CERTIFICATE, "vault_tls_key": "PLACEHOLDER MARKED"},
        ["dispatcher_tls_key is still the placeholder"],
    ),
    "bad-secret-placeholder": (
        {"vault_slack_signing_secret": "PLACEHOLDER MARKED", "vault_github_token": "PLACEHOLDER MARKED"},
        [
            "secrets_slack_signing_secret is still the placeholder",
            "Its Vault variable is vault_slack_signing_secret",
            "secrets_github_token is still the placeholder",
        ],
    ),
}


@pytest.fixture(scope="module")
def run(render: Callable[..., Any]) -> Any:
    return render({**SOUND, **{host: variables for host, (variables, _texts) in BAD.items()}}, "-vvv")


@pytest.fixture(scope="module")
def objects(run: Any) -> dict[str, Any]:
    assert run.objects.keys() == SOUND.keys(), run.failures
    return run.objects


def routes(release: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in release.items() if value["kind"] in ROUTE_KINDS or "tls" in key}
    return {value["kind"]: value for key, value in found.items() if key != REDIRECT}


def test_nothing_is_open_by_itself(objects: dict[str, Any]) -> None:
    assert routes(objects["none"]) == {}


def test_ingress_takes_what_is_below_slack_only(objects: dict[str, Any]) -> None:
    assert routes(objects["ingress-plain"]).keys() == {"Ingress"}
    spec = routes(objects["ingress-plain"])["Ingress"]["spec"]
    backend = {"service": {"name": "agentsmith-dispatcher", "port": {"name": "http"}}}
    paths = [{"path": "/slack", "pathType": "Prefix", "backend": backend}]
    assert spec == {"rules": [{"host": HOST, "http": {"paths": paths}}]}


@pytest.mark.parametrize("host", ["ingress-plain", "gateway"])
def test_no_controller_is_taken_for_granted(objects: dict[str, Any], host: str) -> None:
    (route,) = [body for kind, body in routes(objects[host]).items() if kind in ("Ingress", "HTTPRoute")]
    assert "annotations" not in route["metadata"]
    assert "ingressClassName" not in route["spec"]
    assert all("filters" not in rule for rule in route["spec"]["rules"])


def test_limits_of_the_controller_in_use(objects: dict[str, Any]) -> None:
    """The app reads a body before it checks the signature."""
    route = routes(objects["gateway-plain"])["HTTPRoute"]
    assert route["metadata"]["annotations"] == {"limit": "5"}
    assert [rule["filters"] for rule in route["spec"]["rules"]] == [LIMITS]


@pytest.fixture(scope="module")
def documented(render: Callable[..., Any]) -> Any:
    """What the values of docs/how-to/production.md render, with a Gateway of the release."""
    values = documented_values("Where the requests come from") | documented_values("Limits")
    run = render({name: {**OWN_GATEWAY, **block} for name, block in values.items()}, templates=True)
    assert run.failures == {}
    return run.objects


def test_documented_limits_are_rendered(documented: dict[str, Any]) -> None:
    """Whatever an example names is an object of the release."""
    route = documented["Traefik's"]["HTTPRoute/agentsmith-dispatcher"]
    references = [rule["extensionRef"] for rule in route["spec"]["rules"][0]["filters"]]
    assert [f"{reference['kind']}/{reference['name']}" in documented["Traefik's"] for reference in references] == [
        True
    ] * 2
    (target,) = documented["Envoy"]["BackendTrafficPolicy/agentsmith-limits"]["spec"]["targetRefs"]
    assert f"{target['kind']}/{target['name']}" in documented["Envoy"]


def test_documented_proxies_are_let_in(documented: dict[str, Any]) -> None:
    (neighbours,) = documented["Proxies"]["NetworkPolicy/agentsmith-dispatcher"]["spec"]["ingress"][0]["from"]
    assert neighbours["podSelector"] == documented["Proxies"]["NetworkPolicy/gateway-proxies"]["spec"]["podSelector"]
    selected = [
        body["spec"]["endpointSelector"]["matchLabels"]
        for body in documented["Cilium's"].values()
        if body["kind"] == "CiliumNetworkPolicy"
    ]
    theirs = documented["Cilium's"]["NetworkPolicy/agentsmith-dispatcher"]["spec"]["podSelector"]["matchLabels"]
    assert selected == [theirs, {"acme.cert-manager.io/http01-solver": "true"}]


def test_ingress_with_everything(objects: dict[str, Any]) -> None:
    ingress = routes(objects["ingress"])["Ingress"]
    assert ingress["metadata"]["annotations"] == {"limit": "5"}
    assert ingress["spec"]["ingressClassName"] == "haproxy"
    assert ingress["spec"]["tls"] == [{"hosts": [HOST], "secretName": "company-tls"}]
    assert [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/slack", "/health"]
    assert routes(objects["ingress"]).keys() == {"Ingress"}, "the Secret is somebody else's"


def test_cert_manager_is_asked_for_the_host(objects: dict[str, Any]) -> None:
    found = routes(objects["ingress-issuer"])
    assert found.keys() == {"Ingress", "Certificate"}
    spec = found["Certificate"]["spec"]
    assert spec["dnsNames"] == [HOST]
    assert spec["issuerRef"] == {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "letsencrypt"}
    assert spec["secretName"] == found["Ingress"]["spec"]["tls"][0]["secretName"]


@pytest.mark.parametrize(
    ("host", "route"), [("ingress-certificate", {"Ingress"}), ("gateway", {"HTTPRoute", "Gateway"})]
)
def test_own_certificate_becomes_a_secret(objects: dict[str, Any], host: str, route: set[str]) -> None:
    found = routes(objects[host])
    assert found.keys() == {"Secret"} | route
    assert found["Secret"]["type"] == "kubernetes.io/tls"
    data = {key: base64.b64decode(value).decode() for key, value in found["Secret"]["data"].items()}
    assert data == {"tls.crt": SERVER.pem + ROOT.pem, "tls.key": SERVER.key_pem()}


def test_route_of_a_gateway_of_others(objects: dict[str, Any]) -> None:
    found = routes(objects["gateway-of-others"])
    assert found.keys() == {"HTTPRoute"}
    spec = found["HTTPRoute"]["spec"]
    assert spec["parentRefs"] == SOUND["gateway-of-others"]["dispatcher_gateways"]
    assert spec["hostnames"] == [HOST]
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/slack"}}],
            "backendRefs": [{"name": "agentsmith-dispatcher", "port": 80}],
        }
    ]


PLAIN, TLS = {"http": ("HTTP", 80)}, {"http": ("HTTP", 80), "https": ("HTTPS", 443)}


@pytest.mark.parametrize(
    ("host", "listeners"),
    [
        ("gateway-plain", PLAIN),
        ("gateway", TLS),
        ("gateway-issuer", TLS),
        ("gateway-secret", TLS),
        ("gateway-other-ports", {"http": ("HTTP", 8000), "https": ("HTTPS", 8443)}),
    ],
)
def test_gateway_of_its_own(objects: dict[str, Any], host: str, listeners: dict[str, tuple[str, int]]) -> None:
    found = routes(objects[host])
    actual = {listener["name"]: listener for listener in found["Gateway"]["spec"]["listeners"]}
    assert {name: (listener["protocol"], listener["port"]) for name, listener in actual.items()} == listeners
    for name, listener in actual.items():
        assert listener["hostname"] == HOST
        assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
        assert ("tls" in listener) == (name == "https")
    # Where there is TLS, nothing is served without
    parent = {"name": found["Gateway"]["metadata"]["name"], "sectionName": list(listeners)[-1]}
    assert found["HTTPRoute"]["spec"]["parentRefs"] == [parent]
    assert (REDIRECT in objects[host]) == (len(listeners) > 1)


@pytest.mark.parametrize(
    ("host", "paths", "port"),
    [
        ("gateway", ["/slack"], {}),
        ("gateway-issuer", ["/slack"], {}),
        # The port of the listener is one of the proxy, and nobody outside knows it
        ("gateway-other-ports", ["/slack"], {}),
        ("gateway-secret", ["/", "/slack"], {"port": 8443}),
    ],
)
def test_plain_http_is_redirected(objects: dict[str, Any], host: str, paths: list[str], port: dict[str, int]) -> None:
    spec = objects[host][REDIRECT]["spec"]
    assert spec["parentRefs"] == [{"name": "agentsmith-dispatcher", "sectionName": "http"}]
    assert spec["hostnames"] == [HOST]
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in paths],
            "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301, **port}}],
        }
    ]


def test_plain_http_of_gateways_of_others_is_redirected_if_asked_for(objects: dict[str, Any]) -> None:
    assert REDIRECT not in objects["gateway-of-others"]
    (wanted, given) = (objects["gateway-of-others-with-redirect"], SOUND["gateway-of-others-with-redirect"])
    assert wanted[REDIRECT]["spec"]["parentRefs"] == given["dispatcher_redirect_gateways"]
    assert routes(wanted)["HTTPRoute"]["spec"]["parentRefs"] == given["dispatcher_gateways"]


def taken_by(release: dict[str, Any], listener: str, path: str) -> str | None:
    """Return the HTTPRoute that gets a request. The Gateway API prefers an exact path, then the longest prefix."""
    candidates = []
    for key, body in release.items():
        spec = body["spec"] if body["kind"] == "HTTPRoute" else {}
        if listener in [parent.get("sectionName", listener) for parent in spec.get("parentRefs", [])]:
            for match in (match["path"] for rule in spec["rules"] for match in rule["matches"]):
                value = match["value"].rstrip("/")
                if path == value or (match["type"] == "PathPrefix" and path.startswith(f"{value}/")):
                    candidates.append((match["type"] == "Exact", len(match["value"]), key))
    return max(candidates)[2] if candidates else None


@pytest.mark.parametrize("host", ["gateway-issuer", "gateway-secret"])
def test_a_challenge_reaches_its_solver(objects: dict[str, Any], host: str) -> None:
    """As cert-manager attaches the HTTPRoute of its solver: to the whole Gateway, by the exact path."""
    solver = {
        "kind": "HTTPRoute",
        "spec": {
            "parentRefs": [{"name": "agentsmith-dispatcher"}],
            "rules": [{"matches": [{"path": {"type": "Exact", "value": CHALLENGE}}]}],
        },
    }
    release = {**objects[host], "HTTPRoute/solver": solver}
    assert taken_by(release, "http", CHALLENGE) == "HTTPRoute/solver"
    assert taken_by(release, "http", "/slack/events") == REDIRECT
    assert taken_by(release, "https", "/slack/events") == "HTTPRoute/agentsmith-dispatcher"
    assert taken_by(objects["gateway-issuer"], "http", "/health") is None


@pytest.mark.parametrize("host", ["ingress-issuer", "gateway-issuer"])
def test_the_way_in_reaches_the_solver(objects: dict[str, Any], host: str) -> None:
    spec = objects[host]["NetworkPolicy/agentsmith-acme-solver"]["spec"]
    (rule,) = spec["ingress"]
    assert rule["from"] == objects[host]["NetworkPolicy/agentsmith-dispatcher"]["spec"]["ingress"][0]["from"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8089}]


@pytest.mark.parametrize(
    ("host", "peers"),
    [
        ("none", NOBODY),
        ("none-public", PROXIES),
        ("none-own-route", NODES),
        ("ingress", PROXIES),
        ("ingress-host-network", NODES),
        ("ingress-everybody", None),
        ("gateway", PROXIES),
        ("gateway-node-port", None),
    ],
)
def test_who_brings_the_requests_is_let_in(objects: dict[str, Any], host: str, peers: list[Any] | None) -> None:
    (rule,) = objects[host]["NetworkPolicy/agentsmith-dispatcher"]["spec"]["ingress"]
    assert rule.get("from") == peers


@pytest.mark.parametrize("host", BAD)
def test_bad_input_names_the_variable(run: Any, host: str) -> None:
    for text in BAD[host][1]:
        assert text in run.failures[host]


def test_a_certificate_that_ends_soon_draws_a_warning(run: Any) -> None:
    output = " ".join(run.output.split())
    assert "dispatcher_tls_certificate of the target ending expires on" in output
    assert "target ingress-certificate expires" not in output


def test_no_output_has_a_key(run: Any) -> None:
    assert "MARKED" not in run.output
    for key in (SERVER, ROOT, ENDING):
        assert key.key_pem().splitlines()[1] not in run.output
