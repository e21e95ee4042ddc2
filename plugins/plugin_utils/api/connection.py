# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to one API server: from the options of kubernetes.core to answered requests.

Requests go through the urllib3 pool of the raw ApiClient. The typed classes of the Python client (CoreV1Api and so
on) are not used: importing them alone costs about a second. Nothing here keeps state between tasks.
"""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import urlencode

from ..objects.errors import ApiError, ApplyError, ConnectionFailed
from .kubeconfig import configuration_fault, context_of
from .retry import Attempts, RetryPolicy, Verdict, judge, retry_after

try:
    import urllib3

    # get_api_client(), the public way in, also runs discovery, on its own and without retries; these are its parts.
    from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import (
        _create_auth_spec,
        _create_configuration,
        _create_headers,
    )
    from kubernetes.client import ApiClient, Configuration
except ImportError as error:
    IMPORT_FAULT: str | None = str(error)
else:
    IMPORT_FAULT = None

# As many requests as run at the same time. More gains nothing: the API server of a small cluster answers in a few
# milliseconds, and each further connection costs a TLS handshake.
CONCURRENCY = 8
CONNECT_TIMEOUT = 5.0  # seconds
# The API server itself ends a write after 34 s.
READ_TIMEOUT = 40.0  # seconds

# Whom the API server takes a request without credentials for (Kubernetes: Authenticating, anonymous requests).
_ANONYMOUS = "system:anonymous"

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
class _Client:
    """One set of credentials in use. ``generation`` counts how often they were read."""

    api_client: Any
    headers: Any
    generation: int


class Connection:
    """A connection to the API server that the options name. Use it as a context manager.

    :param options: the connection options, named as in kubernetes.core; what is None falls back to K8S_AUTH_*.
    :param scratch_directory: where the Python client may put certificates and keys that a kubeconfig holds inline;
        they are removed on exit. None means the system's directory for temporary files.
    :param in_contact: whether an earlier task of the same run had an answer, so that the address is known to be right.
    :raises ConnectionFailed: on entry, when the options lead to no usable configuration.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        scratch_directory: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        in_contact: bool = False,
    ) -> None:
        if IMPORT_FAULT:
            raise ConnectionFailed(
                f"The Python that runs ansible-playbook cannot talk to Kubernetes: {IMPORT_FAULT}. Install the Python "
                "package kubernetes (35 or newer) and the collection kubernetes.core for it."
            )
        self._options = dict(options)
        self._scratch_parent = scratch_directory
        self._policy = RetryPolicy(clock)
        self._policy.in_contact = in_contact
        self._sleep = sleep
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Connection:
        # The Python client leaves the removal of its key files to atexit, which Ansible's workers never reach.
        self._scratch = tempfile.TemporaryDirectory(prefix="agentsmith-", dir=self._scratch_parent)
        try:
            self._client = self._open(generation=0)
        except BaseException:
            self._scratch.cleanup()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.api_client.rest_client.pool_manager.clear()
        self._scratch.cleanup()

    @property
    def host(self) -> str:
        """The URL of the API server."""
        return str(self._client.api_client.configuration.host)

    @property
    def requests(self) -> dict[str, int]:
        """How many requests were sent so far, repetitions included: `read`, `write` and `dry_run`."""
        with self._lock:
            return {name: self._counts[name] for name in ("read", "write", "dry_run")}

    def open_stream(self, attempt: Callable[[Any, dict[str, str]], Stream]) -> Stream:
        """Open what is no request, port-forward and exec, and try again as with a request.

        :param attempt: opens it with a configuration and headers. It raises ApiError for what the server answers
            instead, and another ApplyError where no answer came. Both are raised here in the end.
        :raises ConnectionFailed: when the server does not accept the credentials, and with impersonation.
        """
        attempts = Attempts()
        while True:
            client = self._client
            credentials = self._stream_credentials(client)
            try:
                return attempt(*credentials)
            except ApplyError as error:
                verdict = judge("GET", error.status, None) if isinstance(error, ApiError) else Verdict.PASSING
                if verdict is Verdict.UNAUTHENTICATED:
                    self._renew_once(attempts, client)
                    continue
                pause = self._policy.pause_after_failure(attempts) if verdict is Verdict.PASSING else None
                if pause is None:
                    raise
            self._sleep(pause)

    def _stream_credentials(self, client: _Client) -> tuple[Any, dict[str, str]]:
        """Return configuration and headers for a stream.

        :raises ConnectionFailed: with impersonation, which the Python client leaves out there: the stream would run
            with the rights of another account than everything else.
        """
        if any(name.lower().startswith("impersonate-") for name in client.headers):
            raise ConnectionFailed(
                "Port-forward and exec do not work while you impersonate a user. Remove the options that do so."
            )
        settings = client.api_client.configuration.auth_settings().values()
        return client.api_client.configuration, {
            entry["key"].lower(): entry["value"] for entry in settings if entry["in"] == "header" and entry["value"]
        }

    def get(self, path: str, query: Mapping[str, Any] | None = None, accept: str = JSON) -> Response:
        """Read *path*. For the errors see :meth:`request`."""
        return self.request("GET", path, query=query, accept=accept)

    def get_text(self, path: str, query: Mapping[str, Any]) -> str:
        """Read a text, once: a log comes from a node, and one that does not answer is no outage of the server."""
        return str(self.request("GET", path, query=query, accept="*/*", repeat=False).body)

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
            client = self._client
            with self._lock:
                self._counts[kind] += 1
            try:
                raw = self._send(client, method, target, payload, content_type, accept, user)
            except urllib3.exceptions.HTTPError as error:
                pause = self._policy.pause_after_failure(attempts) if repeat and not self._is_final(error) else None
                if pause is None:
                    raise self._unreachable(error) from None
                self._sleep(pause)
                continue
            answer = _decoded(raw.data, accept)
            verdict = judge(method, raw.status, answer)
            if verdict is not Verdict.PASSING or raw.status == 429:
                self._policy.in_contact = True
            if verdict is Verdict.DONE:
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
            self._sleep(pause)

    def _send(
        self,
        client: _Client,
        method: str,
        target: str,
        payload: bytes | None,
        content_type: str,
        accept: str,
        user: str,
    ) -> Any:
        configuration = client.api_client.configuration
        headers = client.headers.copy()
        if user:
            # The groups of the user that the options name are not this one's.
            for name in [name for name in headers if name.lower().startswith("impersonate-")]:
                headers.discard(name)
            headers["Impersonate-User"] = user
        headers["Accept"] = accept
        if payload is not None:
            headers["Content-Type"] = content_type
        # Asking each time lets the Python client renew a token that has a known expiry.
        for setting in configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        if self._policy.in_contact:
            timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        else:
            left = max(0.5, self._policy.contact_time_left())
            timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, left), read=left)
        return client.api_client.rest_client.pool_manager.request(
            method,
            configuration.host + target,
            body=payload,
            headers=headers,
            timeout=timeout,
            retries=False,
        )

    def _is_final(self, error: Exception) -> bool:
        """Tell whether repeating cannot help: an untrusted certificate, or a name that nobody knows at the start.

        Looking a name up can take seconds that no timeout of ours bounds, so it is not repeated before contact.
        """
        if isinstance(error, urllib3.exceptions.NameResolutionError):
            return not self._policy.in_contact
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in (error, *error.args))

    def _renew_once(self, attempts: Attempts, client: _Client) -> None:
        """Read the credentials again, unless another thread has done so since *client* was made.

        :raises ConnectionFailed: when that was done for these attempts before.
        """
        if attempts.credential_renewed:
            raise self._unauthenticated() from None
        attempts.credential_renewed = True
        with self._lock:
            if self._client.generation == client.generation:
                self._client = self._open(client.generation + 1)

    def _open(self, generation: int) -> _Client:
        """Build a client from the options. The result is tied to no earlier one."""
        parameters = SimpleNamespace(params=self._options)
        auth = _create_auth_spec(parameters)
        usual_directory = tempfile.tempdir
        tempfile.tempdir = self._scratch.name
        try:
            # Loading a kubeconfig leaves it behind as the process' default, which would shine through here.
            Configuration.set_default(None)
            configuration = _create_configuration(dict(auth))
        except Exception as error:  # noqa: BLE001  a malformed kubeconfig breaks the Python client in many ways
            raise ConnectionFailed(configuration_fault(auth, error)) from None
        finally:
            tempfile.tempdir = usual_directory
            Configuration.set_default(None)
        configuration.connection_pool_maxsize = CONCURRENCY
        headers = urllib3.HTTPHeaderDict({"User-Agent": "agentsmith.platform"})
        for name, value in _create_headers(parameters).items():
            for entry in value if isinstance(value, list) else [value]:
                headers.add(name, entry)
        return _Client(ApiClient(configuration), headers, generation)

    def _where(self) -> str:
        return f"{self.host} ({context_of(_create_auth_spec(SimpleNamespace(params=self._options)))})"

    def _unreachable(self, error: Exception) -> ConnectionFailed:
        if any(isinstance(part, ssl.SSLCertVerificationError) for part in (error, *error.args)):
            return ConnectionFailed(
                f"The certificate of the API server {self._where()} is not trusted: {error}. Give the certificate of "
                "the authority that signed it in ca_cert, or in the kubeconfig."
            )
        if self._policy.in_contact:
            return ConnectionFailed(
                f"The API server {self._where()} stopped answering and did not come back: {error}. What was applied "
                "stays. Run again when the server answers: the run continues where this one ended."
            )
        return ConnectionFailed(
            f"The API server {self._where()} does not answer: {error}. Nothing was changed. Check that the cluster "
            "runs, and that agentsmith_kubeconfig and agentsmith_context (options kubeconfig, context, host) name the "
            "cluster that you mean."
        )

    def _anonymous(self, error: ApiError) -> ConnectionFailed:
        return ConnectionFailed(
            f"The API server {self._where()} got a request without credentials: {error}. The user in the kubeconfig "
            "has none, or the command that gets them (exec) failed or is not installed. The Python client prints the "
            "reason before this task."
        )

    def _unauthenticated(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"The API server {self._where()} does not accept the credentials (401), also after reading them again. "
            "Renew them in the kubeconfig, or give another api_key."
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


def _api_error(status: int, answer: Any, where: str) -> ApiError:
    """Build the error from a Status object, or from the text that a proxy answered with."""
    if not isinstance(answer, Mapping):
        return ApiError(status, "", f"{where} answered {status}: {str(answer).strip()[:500]}")
    causes = (answer.get("details") or {}).get("causes") or []
    return ApiError(status, answer.get("reason") or "", answer.get("message") or f"{where} answered {status}", causes)
