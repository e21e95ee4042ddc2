# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to one API server: from the connection options to answered requests.

Requests go through a pool of urllib3. The Python client `kubernetes` is not used: importing it costs about a second, it
picks another context than kubectl, and it hides why a command for credentials fails. Nothing here keeps state between
tasks.
"""

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit

from ..objects.errors import ApiError, ApplyError, ConnectionFailed, TimeIsUp
from .cluster_access import ClusterAccess, resolve
from .credentials import Credentials, read_credentials
from .retry import Attempts, RetryPolicy, Verdict, judge, retry_after
from .tls import is_final, tls_context, tls_fault
from .transport import LineStream, Sockets, connected_socket, connection_pool
from .wait_report import Say

with suppress(ImportError):  # reported by ClusterAction, in words
    import urllib3

# As many requests as run at the same time. More gains nothing: the API server of a small cluster answers in a few
# milliseconds, and each further connection costs a TLS handshake.
CONCURRENCY = 8
# A support bundle asks for all of its sections at the same time, and each of them may ask for as many.
KEPT_CONNECTIONS = 64
CONNECT_TIMEOUT = 5.0  # seconds
# The API server itself ends a write after 34 s.
READ_TIMEOUT = 40.0  # seconds

# Whom the API server takes a request without credentials for (Kubernetes: Authenticating, anonymous requests).
_ANONYMOUS = "system:anonymous"

# What http.client says of a proxy that lets nobody through; what it answers for a server that is down passes.
_PROXY_REFUSALS = tuple(f"Tunnel connection failed: {status}" for status in (400, 401, 403, 404, 405, 407))

APPLY_PATCH = "application/apply-patch+yaml"  # of which JSON is a subset
MERGE_PATCH = "application/merge-patch+json"
JSON = "application/json"

Stream = TypeVar("Stream")


@dataclass(frozen=True)
class Response:
    """An answer: the decoded JSON, or the text where it is not JSON, and the server's Warning headers."""

    status: int
    body: Any
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Client:
    """One set of credentials in use. ``generation`` counts how often they were read."""

    access: ClusterAccess
    credentials: Credentials
    pool: Any
    generation: int

    def headers(self, user: str = "") -> Any:
        """Return the headers of a request.

        :param user: on whose behalf, instead of whom the kubeconfig or the options impersonate.
        """
        headers = urllib3.HTTPHeaderDict({"User-Agent": "agentsmith.platform"})
        for name, value in self.credentials.headers:
            # The groups of the user that the options name are not this one's.
            if not (user and name.startswith("Impersonate-")):
                headers.add(name, value)
        if user:
            headers["Impersonate-User"] = user
        return headers

    def connected_socket(self) -> Any:
        """Return a new socket that is connected to the API server.

        :raises urllib3.exceptions.HTTPError: and OSError, when it cannot be connected.
        """
        return connected_socket(self.pool, self.access.server, CONNECT_TIMEOUT)


class Connection:
    """A connection to the API server that the options name. Use it as a context manager.

    :param options: the options of the doc fragment `connection`; what is None falls back to K8S_AUTH_*.
    :param scratch_directory: where a client's certificate and key lie while OpenSSL reads them. None means the
        system's directory for temporary files.
    :param say: shows a line while a command for credentials runs.
    :param in_contact: whether an earlier task of the same run had an answer, so that the address is known to be right.
    :param time_limit: seconds after which all that is under way ends, and nothing more is asked. None: no limit.
    :raises ConnectionFailed: on entry, when the options lead to no usable configuration.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        scratch_directory: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        in_contact: bool = False,
        say: Say | None = None,
        time_limit: float | None = None,
    ) -> None:
        self._options = dict(options)
        self._scratch_directory = scratch_directory
        self._say = say
        self._clock = clock
        self._in_contact = in_contact
        self._sleep = sleep
        self._sockets = Sockets() if time_limit is not None else None
        self._time_limit = time_limit
        self._time_is_up = threading.Event()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        if self._time_limit is not None:
            self._timer = threading.Timer(self._time_limit, self._end)
            self._timer.daemon = True
            self._timer.start()
        self._client = self._open(generation=0)
        # From here on: a command for credentials may have taken its time.
        self._policy = RetryPolicy(self._clock)
        self._policy.in_contact = self._in_contact
        return self

    def __exit__(self, *exception: object) -> None:
        if self._time_limit is not None:
            self._timer.cancel()
        self._client.pool.clear()

    def _end(self) -> None:
        self._time_is_up.set()
        if self._sockets:
            self._sockets.end()

    def _check_time(self) -> None:
        """Check the time limit of the connection.

        :raises TimeIsUp: when it is over.
        """
        if self._time_is_up.is_set():
            raise TimeIsUp(f"The API server {self._where()} was too slow: the time for its answers is up.")

    def _pause(self, seconds: float) -> None:
        if self._sockets:
            self._time_is_up.wait(seconds)
        else:
            self._sleep(seconds)

    @property
    def host(self) -> str:
        """The URL of the API server."""
        return self._client.access.server

    @property
    def requests(self) -> dict[str, int]:
        """How many requests were sent so far, repetitions included: `read`, `write` and `dry_run`."""
        with self._lock:
            return {name: self._counts[name] for name in ("read", "write", "dry_run")}

    def reach(self) -> None:
        """Connect and ask nothing. From then on, a slow server is waited for as one that has answered.

        :raises ConnectionFailed: when nobody is there.
        """

        def connect(client: Client) -> None:
            try:
                client.connected_socket().close()
            except OSError as error:
                raise urllib3.exceptions.ProtocolError(str(error), error) from error

        self.open_stream(connect)
        self._policy.in_contact = True

    def open_stream(self, attempt: Callable[[Client], Stream], repeat: bool = True) -> Stream:
        """Open what is no request, port-forward and exec, and try again as with a request.

        :param attempt: opens it. It raises ApiError for what the server answers instead, and another ApplyError or an
            error of urllib3 where no answer came.
        :param repeat: False tries it once.
        :raises ConnectionFailed: when the server does not accept the credentials.
        """
        attempts = Attempts()
        while True:
            self._check_time()
            client = self._current_client()
            try:
                return attempt(client)
            except urllib3.exceptions.HTTPError as error:
                self._check_time()
                pause = None if self._is_final(error) else self._policy.pause_after_failure(attempts)
                if pause is None:
                    raise self._unreachable(error) from None
            except ApplyError as error:
                self._check_time()
                verdict = judge("GET", error.status, None) if isinstance(error, ApiError) else Verdict.PASSING
                if not repeat and verdict is Verdict.PASSING:
                    raise
                if verdict is Verdict.UNAUTHENTICATED:
                    self._renew_once(attempts, client)
                    continue
                pause = self._policy.pause_after_failure(attempts) if verdict is Verdict.PASSING else None
                if pause is None:
                    raise
            self._pause(pause)

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = JSON) -> Response:
        """Read *path*. For the errors see :meth:`request`."""
        return self.request("GET", path, query=query, accept=accept)

    def get_text(self, path: str, query: Mapping[str, Any]) -> str:
        """Read a text, once: a log comes from a node, and one that does not answer is no outage of the server."""
        return str(self.request("GET", path, query=query, accept="*/*", repeat=False).body)

    def open_watch(self, path: str, query: Mapping[str, Any], duration: float) -> LineStream:
        """Begin to be told of changes. It is tried once: who has no watch asks again and again.

        :param duration: seconds after which the server ends it.
        :raises ApiError: when the server refuses it.
        :raises ConnectionFailed: when it does not answer.
        """
        client = self._current_client()
        with self._lock:
            self._counts["read"] += 1
        target = f"{path}?{urlencode(query)}"
        try:
            raw = self._send(client, "GET", target, None, JSON, JSON, "", duration)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        if raw.status == 200 and hasattr(raw, "shutdown"):  # urllib3 has it from 2.3 on
            return LineStream(raw)
        raw.close()
        raise ApiError(raw.status, "", f"{self._where()} answered {raw.status} to a watch")

    def find(self, path: str) -> dict[str, Any] | None:
        """Read the object at *path*; None when there is none."""
        try:
            body: dict[str, Any] = self.get(path).body
            return body
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        repeat: bool = True,
        patience: float | None = None,
        user: str = "",
    ) -> Response:
        """Send one request and return its answer.

        :param user: on whose behalf, by impersonation, instead of whom the options name.
        :param repeat: whether to send it again where that may help.
        :param patience: seconds for which to send it again while the server answers with a fault that may pass;
            None for as long as an outage may last.
        :raises ApiError: when the server refuses the request.
        :raises ConnectionFailed: when the server stays away or does not accept the credentials.
        """
        kind = _kind_of(method, path, query)
        payload = None if body is None else json.dumps(body).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        attempts = Attempts()
        while True:
            self._check_time()
            client = self._current_client()
            with self._lock:
                self._counts[kind] += 1
            try:
                raw = self._send(client, method, target, payload, content_type, accept, user)
            except urllib3.exceptions.HTTPError as error:
                self._check_time()
                pause = self._policy.pause_after_failure(attempts) if repeat and not self._is_final(error) else None
                if pause is None:
                    raise self._unreachable(error) from None
                self._pause(pause)
                continue
            proxy = client.access.proxy
            if raw.status == 407 and proxy:  # to a request without a tunnel
                raise ConnectionFailed(_proxy_fault(proxy.shown, self._where(), [_PROXY_REFUSALS[-1]]))
            answer = _decoded(raw.data, accept)
            verdict = judge(method, raw.status, answer)
            if verdict is not Verdict.PASSING or raw.status == 429:
                self._policy.in_contact = True
            if verdict is Verdict.DONE:
                if raw.status >= 300 or (accept != "*/*" and not isinstance(answer, dict)):
                    raise self._no_api_server(raw, answer)
                return Response(raw.status, answer, tuple(raw.headers.getlist("Warning")))
            if verdict is Verdict.UNAUTHENTICATED:
                self._renew_once(attempts, client)
                continue
            if verdict is Verdict.PASSING and repeat:
                requested = retry_after(raw.headers.get("Retry-After"))
                pause = self._policy.pause_after_failure(attempts, requested, patience)
            elif verdict is Verdict.LOCKED:
                pause = self._policy.pause_after_lock_conflict(attempts)
            else:
                pause = None
            if pause is None:
                refusal = _api_error(raw.status, answer, self._where())
                raise self._anonymous(refusal) if _ANONYMOUS in str(refusal) else refusal
            self._pause(pause)

    def _send(
        self,
        client: Client,
        method: str,
        target: str,
        payload: bytes | None,
        content_type: str,
        accept: str,
        user: str,
        duration: float = 0.0,
    ) -> Any:
        """Send a request. One that takes a *duration* is answered little by little."""
        headers = client.headers(user)
        headers["Accept"] = accept
        if payload is not None:
            headers["Content-Type"] = content_type
        if self._policy.in_contact:
            timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT + duration)
        else:
            left = max(0.5, self._policy.contact_time_left())
            timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, left), read=left)
        return client.pool.request(
            method,
            client.access.server + target,
            body=payload,
            headers=headers,
            timeout=timeout,
            retries=False,
            preload_content=not duration,
        )

    def _is_final(self, error: Exception) -> bool:
        """Tell whether repeating cannot help: no trust, no TLS, a proxy that refuses, or an unknown name at the start.

        Looking a name up can take seconds that no timeout of ours bounds, so it is not repeated before contact.
        """
        causes = list(_causes(error))
        if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
            return not self._policy.in_contact
        if any(isinstance(cause, ssl.SSLError) and is_final(cause) for cause in causes):
            return True
        return any(refusal in str(cause) for cause in causes for refusal in _PROXY_REFUSALS)

    def _current_client(self) -> Client:
        """Return the client, with credentials that have not expired."""
        client = self._client
        if client.credentials.have_expired:
            self._renew(client)
        return self._client

    def _renew_once(self, attempts: Attempts, client: Client) -> None:
        """Read the credentials again, unless another thread has done so since *client* was made.

        :raises ConnectionFailed: when that was done for these attempts before.
        """
        if attempts.credential_renewed:
            raise self._unauthenticated() from None
        attempts.credential_renewed = True
        self._renew(client)

    def _renew(self, client: Client) -> None:
        with self._lock:
            if self._client.generation == client.generation:
                self._client = self._open(client.generation + 1)

    def _open(self, generation: int) -> Client:
        """Build a client from the options. The result is tied to no earlier one."""
        access = resolve(self._options)
        if generation and access.server != self.host:
            raise ConnectionFailed(
                f"The kubeconfig was changed while the run used {self._where()}: it leads to {access.where} now. What "
                "was applied stays. Run again, with agentsmith_context."
            )
        credentials = read_credentials(access, self._say)
        context = tls_context(access, credentials, self._scratch_directory) if access.is_tls else None
        pool = connection_pool(access, context, KEPT_CONNECTIONS)
        return Client(access, credentials, self._sockets.watch(pool) if self._sockets else pool, generation)

    def _where(self) -> str:
        return self._client.access.where

    def _unreachable(self, error: Exception) -> ConnectionFailed:
        proxy = self._client.access.proxy
        causes = list(_causes(error))
        is_of_proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        if proxy and is_of_proxy:
            return ConnectionFailed(_proxy_fault(proxy.shown, self._where(), [str(cause) for cause in causes]))
        for cause in causes:
            if isinstance(cause, ssl.SSLError) and is_final(cause):
                return ConnectionFailed(tls_fault(cause, self._where()))
        through = f" (through the proxy {proxy.shown})" if proxy else ""
        if self._policy.in_contact:
            return ConnectionFailed(
                f"The API server {self._where()} stopped answering and did not come back{through}: {error}. What was "
                "applied stays. Run again when the server answers: the run continues where this one ended."
            )
        return ConnectionFailed(
            f"The API server {self._where()} does not answer{through}: {error}. Nothing was changed. Check that the "
            "cluster runs, and that agentsmith_kubeconfig and agentsmith_context (options kubeconfig, context, host) "
            "name the cluster that you mean."
        )

    def _no_api_server(self, raw: Any, answer: Any) -> ConnectionFailed:
        """Say what answers there instead of an API server."""
        if raw.status >= 300:
            parts = urlsplit(raw.headers.get("Location") or "")
            to = f" to {parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else ""
            told = f"it redirects{to} ({raw.status}), as a login page does"
        else:
            is_page = "html" in (raw.headers.get("Content-Type") or "") or _is_page(answer)
            told = f"it answered {raw.status} with {'a web page' if is_page else 'what is no object of Kubernetes'}"
        return ConnectionFailed(
            f"{self._where()} is no API server of Kubernetes: {told}. Correct the address (server in the kubeconfig, "
            "option host), or log in again if your provider asks for that."
        )

    def _anonymous(self, error: ApiError) -> ConnectionFailed:
        return ConnectionFailed(
            f"The API server {self._where()} got a request without credentials: {error}. The user in the kubeconfig "
            "has none that the server takes."
        )

    def _unauthenticated(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"The API server {self._where()} does not accept the credentials (401), also after reading them again. "
            "Renew them in the kubeconfig, or give another api_key."
        )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it is made of: urllib3 puts the cause among the arguments of its own."""
    yield error
    for part in (*error.args, error.__cause__):
        if isinstance(part, BaseException):
            yield from _causes(part)


def _proxy_fault(proxy: str, where: str, causes: list[str]) -> str:
    asked = next((refusal for refusal in _PROXY_REFUSALS for cause in causes if refusal in cause), "")
    if "407" in asked:
        return (
            f"The proxy {proxy} asks for a user and a password (407), or does not accept those it got. Nothing was "
            "changed. Put them into the proxy's URL: http://user:password@host:port, special characters "
            f"percent-encoded. If {where} is to be reached without the proxy, add its host to NO_PROXY."
        )
    told = f"refuses to connect to {where} ({asked.rpartition(' ')[2]})" if asked else f"cannot be used: {causes[-1]}"
    return (
        f"The proxy {proxy} {told}. Nothing was changed. Correct the proxy, or add the host of the API server {where} "
        "to NO_PROXY if it is to be reached without it."
    )


def _kind_of(method: str, path: str, query: Mapping[str, Any] | None) -> str:
    """Tell what a request counts as. The reviews of what somebody may do are posted, and store nothing."""
    if method == "GET" or path.startswith("/apis/authorization.k8s.io/"):
        return "read"
    return "dry_run" if query and "dryRun" in query else "write"


def _decoded(data: bytes, accept: str) -> Any:
    """Decode an answer. Errors are JSON whatever was asked for; an index of the server is, but says it is text."""
    text = data.decode("utf-8", "replace")
    if accept == "*/*" and not text.startswith('{"kind":"Status"'):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_page(answer: Any) -> bool:
    return "<html" in str(answer)[:1000].lower()


def _api_error(status: int, answer: Any, where: str) -> ApiError:
    """Build the error from a Status object, or from the text that a proxy answered with."""
    if not isinstance(answer, Mapping):
        told = " with a web page" if _is_page(answer) else f": {str(answer).strip()[:500]}"
        return ApiError(status, "", f"{where} answered {status}{told}")
    causes = (answer.get("details") or {}).get("causes") or []
    return ApiError(status, answer.get("reason") or "", answer.get("message") or f"{where} answered {status}", causes)
