# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the container registry of an image answers from here."""

import threading
import urllib.error
import urllib.request

# Seconds that a registry has for its answer. Without a name server that answers, this is what it costs.
TIMEOUT = 3.0


def registry_of(image: str) -> str:
    """Return the host of the registry of `image`, by the rules of the Docker reference grammar.

    The first part of a name is a host where it has a dot or a port or is `localhost`; else it is Docker Hub, whose
    registry answers under another name than images are called by.
    """
    first, slash, _rest = image.partition("/")
    host = first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
    return "registry-1.docker.io" if host == "docker.io" else host


def answers(image: str, *, scheme: str = "https", timeout: float = TIMEOUT) -> bool:
    """Return whether the registry of `image` answers within `timeout` seconds.

    Asked is the API's version check, https://distribution.github.io/distribution/spec/api/#api-version-check.
    401 is an answer, too: it means that a token is needed, which every engine fetches by itself.
    """
    result: list[bool] = []

    def request() -> None:
        try:
            with urllib.request.urlopen(f"{scheme}://{registry_of(image)}/v2/", timeout=timeout):  # noqa: S310
                result.append(True)
        except urllib.error.HTTPError as error:
            result.append(error.code in (401, 403))
        except (OSError, ValueError):
            result.append(False)

    # The time limit of urlopen does not cover the search for the address, which no standard call can cut short.
    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    thread.join(timeout)
    return bool(result and result[0])
