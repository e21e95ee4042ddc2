# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the ways in: the kind of route by the origin of the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

EXTERNAL_TLS = "company-tls"
FOREIGN_GATEWAY = {"name": "public", "namespace": "way-in"}
FOREIGN_HOST = "agentsmith.example.com"
"""A name of its own: Traefik keeps one certificate for a name, whatever it comes from."""


@dataclass(frozen=True)
class Cell:
    """A way in. The certificate `listener` is that of a Gateway that belongs to others."""

    route: str
    tls: str

    @property
    def ends_tls(self) -> bool:
        return self.tls != "none"

    @property
    def redirects(self) -> bool:
        """Whether plain HTTP is answered with the address of HTTPS. An Ingress has no field for that."""
        return self.route != "ingress" and self.ends_tls

    def variables(self) -> dict[str, Any]:
        """What the release is deployed with."""
        tls = {"dispatcher_tls": "none" if self.tls == "listener" else self.tls}
        if self.tls == "secret":
            tls["dispatcher_tls_secret_name"] = EXTERNAL_TLS
        if self.route == "ingress":
            # An Ingress itself says nothing about plain HTTP, so Traefik serves it at both ports
            only_tls = {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}
            issuer = {"dispatcher_tls_issuer": {"name": "pebble-ingress"}} if self.tls == "issuer" else {}
            annotations = {"dispatcher_route_annotations": only_tls} if self.ends_tls else {}
            return {
                "dispatcher_route": "ingress",
                "dispatcher_ingress_class": "traefik",
                **annotations,
                **issuer,
                **tls,
            }
        if self.route == "own_gateway":
            issuer = {"dispatcher_tls_issuer": {"name": "pebble-gateway"}} if self.tls == "issuer" else {}
            return {"dispatcher_route": "httproute", "dispatcher_gateway_class": "traefik", **issuer, **tls}
        http, https = ([FOREIGN_GATEWAY | {"sectionName": name}] for name in ("http", "https"))
        gateways = {"dispatcher_gateways": https, "dispatcher_redirect_gateways": http}
        if not self.ends_tls:
            gateways = {"dispatcher_gateways": http}
        return {"dispatcher_route": "httproute", "dispatcher_public_url": f"https://{FOREIGN_HOST}", **gateways, **tls}

    def __str__(self) -> str:
        return f"{self.route}-{self.tls}"


WITH_OWN_CERTIFICATE = [Cell("ingress", "certificate"), Cell("own_gateway", "certificate")]
WITH_TLS = [
    *WITH_OWN_CERTIFICATE,
    # cert-manager takes over the Secret that the release has made
    Cell("ingress", "issuer"),
    Cell("own_gateway", "issuer"),
    Cell("ingress", "secret"),
    Cell("own_gateway", "secret"),
    Cell("foreign_gateway", "listener"),
]
CELLS = [*WITH_TLS, *(Cell(route, "none") for route in ("ingress", "own_gateway", "foreign_gateway"))]
"""Beginning with those of WITH_TLS, so that the tests of both lists share a release."""
