# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to an API server, straight or through its proxy."""

import base64
import socket
import ssl
import warnings
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from ..objects.errors import ConnectionFailed
from .cluster_access import ClusterAccess
from .proxy import Proxy

with suppress(ImportError):  # reported by ClusterAction, in words
    import urllib3

    # The kubeconfig says so (insecure-skip-tls-verify), and a line for each request would tell nothing new.
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class LineStream:
    """An answer that comes line by line. Use it as a context manager in the thread that reads it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._answer.close()

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, until the server ends them, or something cuts them.

        :raises ConnectionFailed: when they are cut.
        """
        rest = b""
        try:
            for part in self._answer.stream():
                *lines, rest = (rest + part).split(b"\n")
                yield from lines
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ConnectionFailed(f"the answer was cut: {error}") from None

    def interrupt(self) -> None:
        """End the lines from another thread."""
        with suppress(OSError, RuntimeError, ValueError):  # they have ended
            self._answer.shutdown()


def connection_pool(access: ClusterAccess, context: ssl.SSLContext | None, size: int) -> Any:
    """Return a pool manager of urllib3 that reaches the server.

    :param context: None for a server without TLS.
    :raises ConnectionFailed: when the proxy needs a package that is not installed.
    """
    settings: dict[str, Any] = {"maxsize": size}
    if context is not None:
        settings["ssl_context"] = context
        if access.cluster.get("tls-server-name"):
            settings["server_hostname"] = access.cluster["tls-server-name"]
    proxy = access.proxy
    if proxy is None:
        return urllib3.PoolManager(**settings)
    if proxy.scheme.startswith("socks"):
        return _through_socks(proxy, settings)
    headers = urllib3.util.make_headers(**access.proxy_headers)
    if proxy.user:
        pair = f"{proxy.user}:{proxy.password}".encode()
        headers["proxy-authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    # As in kubectl, a proxy that is spoken to over TLS has to show a certificate that the cluster's authority signed.
    return urllib3.ProxyManager(proxy.url, proxy_headers=headers, proxy_ssl_context=context, **settings)


def _through_socks(proxy: Proxy, settings: dict[str, Any]) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):
            from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:
        raise ConnectionFailed(
            f"The proxy {proxy.shown} needs the Python package PySocks. Install it for the Python that runs "
            "ansible-playbook."
        ) from None
    # As in kubectl, the proxy looks the name of the server up (socks5h in the words of urllib3).
    url = proxy.url.replace("socks5:", "socks5h:", 1)
    return SOCKSProxyManager(url, username=proxy.user or None, password=proxy.password or None, **settings)


class Sockets:
    """The sockets that a pool manager has connected, to end all that is under way on them at once.

    A time limit of urllib3 is for each wait, so that an answer that trickles can take any time.
    """

    def __init__(self) -> None:
        self._connected: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def watch(self, manager: Any) -> Any:
        """Return the manager, which notes its sockets here from now on."""
        classes = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: self._noting(pool_class) for scheme, pool_class in classes.items()}
        return manager

    def end(self) -> None:
        """Cut all of them: whoever waits for one gets an error now."""
        for connected in list(self._connected):
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def _noting(self, pool_class: Any) -> Any:
        connected = self._connected

        def connect(connection: Any) -> None:
            pool_class.ConnectionCls.connect(connection)
            connected.add(connection.sock)

        noting = type(pool_class.ConnectionCls.__name__, (pool_class.ConnectionCls,), {"connect": connect})
        return type(pool_class.__name__, (pool_class,), {"ConnectionCls": noting})


def connected_socket(manager: Any, server: str, timeout: float) -> Any:
    """Return a new socket that is connected to the server, for what is no request: it is not put back into the pool.

    :raises urllib3.exceptions.HTTPError: and OSError, when it cannot be connected.
    """
    pool = manager.connection_from_url(server)
    proxy = pool.proxy
    first = proxy or pool
    connection = pool.ConnectionCls(host=first.host, port=first.port, timeout=timeout, **pool.conn_kw)
    if proxy is not None:
        connection.set_tunnel(pool.host, pool.port, headers=dict(pool.proxy_headers), scheme=proxy.scheme)
    connection.connect()
    return connection.sock
