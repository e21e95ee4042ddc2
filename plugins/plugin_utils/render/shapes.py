# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes that the values of role variables may have, beyond what an argument spec can say.

Private to this collection. Nothing here knows a variable's name or prints a value: that is the caller's, who knows
which values are secret.
"""

import re
from dataclasses import dataclass

from ..agentsmith_config.schema import NOISE_WORDS, PROJECT_NAME
from ..text.type_in_words import type_in_words

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DNS_NAME = rf"(?=.{{1,253}}\Z){_DNS_LABEL}(\.{_DNS_LABEL})*"
_QUANTITY = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?"
_HOST_LABEL = r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_IMAGE_HOST = rf"({_HOST_LABEL}(\.{_HOST_LABEL})*|\[[0-9a-fA-F:]+\])(:[0-9]{{1,5}})?"
_IMAGE_PATH_PART = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
_IMAGE_NAME = rf"({_IMAGE_HOST}/)?{_IMAGE_PATH_PART}(/{_IMAGE_PATH_PART})*"
_IMAGE_TAG = r":[A-Za-z0-9_][-.A-Za-z0-9_]{0,127}"
# Zeros are the placeholder that an inventory comes with
_IMAGE_DIGEST = r"@sha256:(?!0{64}\Z)[0-9a-f]{64}"


@dataclass(frozen=True)
class Shape:
    """A regular expression that a whole value matches, and the same in words for the person who typed the value."""

    pattern: str
    allowed: str
    number: bool = False  # whether a whole number counts as its decimal text, as it may come from YAML or from `-e`


SHAPES: dict[str, Shape] = {
    # Kubernetes: "Object Names and IDs", RFC 1123 label names and subdomain names
    "dns_label": Shape(
        _DNS_LABEL,
        "a DNS label: lower-case letters, digits and hyphens, 63 characters at most (agentsmith)",
    ),
    # Kubernetes, "Namespaces": the prefix kube- is reserved. The network policies and the level of Pod Security of a
    # release would cut off what the cluster itself lives from.
    "namespace": Shape(
        rf"(?!kube-){_DNS_LABEL}",
        "a DNS label: lower-case letters, digits and hyphens, 63 characters at most, without the prefix kube- of "
        "Kubernetes' own namespaces (agentsmith)",
    ),
    "dns_name": Shape(
        _DNS_NAME,
        "a DNS name: lower-case letters, digits, hyphens and dots, 253 characters at most (agentsmith-secrets)",
    ),
    # The distribution project's reference grammar: [host[:port]/]path[:tag][@digest]
    "image_reference": Shape(
        rf"{_IMAGE_NAME}({_IMAGE_TAG})?({_IMAGE_DIGEST})?",
        "an image reference, [registry[:port]/]path[:tag][@sha256:digest] with a lower-case path "
        "and a digest that is not the placeholder of zeros (registry.example.com/agentsmith:1.2.0)",
    ),
    "tagged_image": Shape(
        rf"{_IMAGE_NAME}({_IMAGE_TAG})?{_IMAGE_DIGEST}|{_IMAGE_NAME}(?!:latest\Z){_IMAGE_TAG}",
        "an image reference with a tag other than latest, or with a digest that is not the placeholder of zeros, as "
        "agentsmith_image_pinning asks for "
        "(registry.example.com/agentsmith:1.2.0)",
    ),
    "pinned_image": Shape(
        rf"{_IMAGE_NAME}({_IMAGE_TAG})?{_IMAGE_DIGEST}",
        "an image reference with a digest, as agentsmith_image_pinning asks for, "
        "as a registry names it and not the placeholder of zeros: …/agentsmith:1.2.0@sha256:…",
    ),
    # The app's releases that the roles know
    "app": Shape(
        r"be4bffa1|0\.9\.2",
        'be4bffa1 or "0.9.2" as a text (agentsmith_app), the releases of the app that this collection deploys: '
        "docs/reference/versions.md",
    ),
    # As .NET compares them: the whole host, or its end. It knows no networks, asterisks and ports, and compares an
    # address of IPv6 with its brackets (HttpEnvironmentProxy of .NET 8).
    "no_proxy": Shape(
        r"\.?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?|\[(?=[^]]*:)[0-9a-fA-F:.]+\]",
        "a name, with a leading dot for all below it, or a single address, of IPv6 in brackets, without a port: .NET "
        "knows no networks (10.0.0.0/8) and no asterisks (.example.internal, 10.0.0.7, [fd00::7])",
    ),
    # Without user and password: it stands in an object for all to read
    "optional_proxy": Shape(r"(https?://[^/@\s]+/?)?", "http://host:port without user and password, or an empty text"),
    "optional_url": Shape(r"(https?://[^\s/]+(/\S*)?)?", "an https:// or http:// address, or an empty text"),
    "unprivileged_port": Shape(
        r"102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
        "a whole number from 1024 to 65535",
        number=True,
    ),
    # The rule of agentsmith_config for the names of projects
    "project_name": Shape(
        rf"(?!({'|'.join(NOISE_WORDS)})\Z){PROJECT_NAME.pattern}",
        "a name that can be reached from chat, where the agent deletes digits, lower-cases words and drops "
        f"{', '.join(NOISE_WORDS)}: lower-case letters, '.', '_' and '-', a letter at both ends (agent-smith-test)",
    ),
    # Kubernetes: "Resource units"
    "quantity": Shape(_QUANTITY, "a Kubernetes quantity (500m, 1.5, 384Mi, 1Gi)", number=True),
    "count": Shape(r"[0-9]{1,9}", "a whole number, 0 or more", number=True),
    "optional_count": Shape(r"([0-9]{1,9})?", "a whole number, 0 or more, or an empty text", number=True),
    "positive": Shape(r"[1-9][0-9]{0,8}", "a whole number, 1 or more", number=True),
    # What Kubernetes takes as a user or group; an empty text leaves it to the cluster
    "optional_id": Shape(
        r"([1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}"
        r"|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])?",
        "a whole number from 1 to 2147483647, or an empty text, which leaves it to the cluster",
        number=True,
    ),
    # Long enough for the app to notice the end of a Job, and short enough for what a namespace can hold
    "optional_time_to_live": Shape(
        r"([6-9][0-9]|[1-9][0-9]{2,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)?",
        "a whole number from 60 to 86400 (a day), or an empty text",
        number=True,
    ),
    # Kubernetes: "Labels and Selectors". YAML makes a boolean or a number of an unquoted text
    "label_value": Shape(
        r"([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?",
        "the value of a label, a text: 63 letters, digits, hyphens, underscores and dots at most; quote numbers and "
        "booleans (agents)",
    ),
    "port": Shape(
        r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
        "a whole number from 1 to 65535",
        number=True,
    ),
    # As far as a shape can tell: the API server knows which addresses there are
    "cidr": Shape(
        r"([0-9]{1,3}(\.[0-9]{1,3}){3}/([12]?[0-9]|3[0-2])|(?=.*:)[0-9a-fA-F:.]{2,45}/([1-9]?[0-9]|1[01][0-9]|12[0-8]))",
        "a CIDR, an address and the length of its prefix (10.0.0.0/8, fd00::/8)",
    ),
    # kube-apiserver's default --service-node-port-range
    "node_port": Shape(
        r"3[01][0-9]{3}|32[0-6][0-9]{2}|327[0-5][0-9]|3276[0-7]",
        "a whole number from 30000 to 32767",
        number=True,
    ),
    # A stray newline of a YAML block scalar makes a token an invalid HTTP header, long after the deployment
    "token": Shape(
        r"(\S(.*\S)?)?",
        "one line of text without a space or line break at either end, or an empty string where there is none",
    ),
}


def misfits(
    path: str, value: object, pattern: str, *, number: bool = True, each: bool = False, secret: bool = False
) -> list[str]:
    """Say of every value that is no text which `pattern` matches as a whole what it is: ["redis_maxmemory is 'lots'"].

    With `each`, the values inside a dictionary or list are looked at, at any depth, instead of the container. With
    `number`, a whole number counts as its decimal text. A `secret` value is never quoted and must
    be a text, because YAML has then already read 0123 as 83.
    """
    if each and isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        part = "{}.{}" if isinstance(value, dict) else "{}[{}]"
        return [
            fault
            for key, item in inside
            for fault in misfits(part.format(path, key), item, pattern, number=number, each=each, secret=secret)
        ]
    counts = number and not secret and isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str) and not counts:
        return [f"{path} is {type_in_words(value)}"]
    if re.fullmatch(pattern, str(value)):
        return []
    if value == "":
        return [f"{path} is empty"]
    return [f"{path} has a form that is not allowed (its value is secret)" if secret else f"{path} is {str(value)!r}"]
