# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials from a command that a kubeconfig names (`exec`).

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
The Python client leaves out what the command writes to its error output, and waits for it for ever.
"""

import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..objects.errors import ConnectionFailed
from .wait_report import Say, WaitReport

TIME_LIMIT = 60.0  # seconds
LOOK_INTERVAL = 1.0  # seconds between two looks at a command that runs
_QUOTED = 1000  # characters of its error output

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_MODES = ("Never", "IfAvailable", "Always")
# What kubectl hands to a command that asks for the cluster (provideClusterInfo), by the names of the kubeconfig
_CLUSTER_INFO = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
)
_EXTENSION = "client.authentication.k8s.io/exec"

# A word after "token:", "Bearer" and the like; a JSON web token; anything long of letters and digits without a break
_SECRETS = re.compile(
    r"""(?ix)(?<![a-z])(?:bearer|basic)\s+[^\s"',]+"""
    r"""|(?:token|secret|password|passwd|api[_-]?key|authorization|(?:key|certificate)data)["']?\s*[:=]\s*["']?[^\s"',]+"""
    r"""|eyj[\w-]+(?:\.[\w-]*)*"""
    r"""|-----BEGIN[\s\S]*?(?:-----END[^\n]*|\Z)"""
    r"""|(?<![\w+=.-])(?=[\w+=.-]*\d)(?=[\w+=.-]*[a-z])[\w+=.-]{28,}"""
)

_SECRET_NAME = re.compile(r"(?i)secret|token|passw|api.?key|credential")


def credential_of(specification: Mapping[str, Any], cluster: Mapping[str, Any], user: str, say: Say | None) -> Any:
    """Run the command and return the status of the credential that it writes.

    :param specification: `exec` of the user in the kubeconfig.
    :param cluster: what the command is told of the cluster, if it asks.
    :param user: the words that name the user in messages.
    :raises ConnectionFailed: when the command is missing, fails, hangs or writes no credential.
    """
    command = _checked(specification, user)
    entries = specification.get("env") or []
    variables = {entry["name"]: entry.get("value") or "" for entry in entries}
    version = specification["apiVersion"]
    told: dict[str, Any] = {"interactive": False}
    if specification.get("provideClusterInfo"):
        told["cluster"] = _cluster_info(cluster)
    variables["KUBERNETES_EXEC_INFO"] = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": told})
    try:
        process = subprocess.Popen(  # noqa: S603  the kubeconfig names it, as for kubectl
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,  # so that what it starts can be ended with it
        )
    except (OSError, ValueError) as error:
        hint = str(specification.get("installHint") or "").strip()
        reason = (error.strerror or "it cannot be started") if isinstance(error, OSError) else "it cannot be started"
        raise ConnectionFailed(
            f"The command {command[0]} that gets the credentials of {user} cannot be started: {reason}. Install it "
            f"for the account that runs ansible-playbook, or put its directory on PATH.{' ' + hint if hint else ''}"
        ) from None
    secrets = _secrets(command, variables)
    output, errors = _ended(process, command[0], user, say, secrets)
    words = _quoted(errors, secrets)
    name = f"The command {command[0]} that gets the credentials of {user}"
    if process.returncode != 0:
        raise ConnectionFailed(f"{name} failed (exit code {process.returncode}){words}")
    return _status(output, version, f"{name} ended well and", words)


def _checked(specification: Mapping[str, Any], user: str) -> list[str]:
    """Return the command and its arguments.

    :raises ConnectionFailed: when the specification is none that kubectl takes.
    """
    command, arguments = specification.get("command"), specification.get("args") or []
    entries, mode = specification.get("env") or [], specification.get("interactiveMode")
    version = specification.get("apiVersion")
    fault = ""
    if not isinstance(command, str) or not command:
        fault = "command is missing"
    elif version not in _VERSIONS:
        fault = f"apiVersion must be one of {', '.join(_VERSIONS)}"
    elif mode not in (_MODES if version == _VERSIONS[0] else (*_MODES, None, "")):
        fault = f"interactiveMode must be one of {', '.join(_MODES)}"
    elif not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        fault = "args must be a list of texts"
    elif not isinstance(entries, list) or not all(_is_variable(entry) for entry in entries):
        fault = "env must be a list of names and values, which are texts"
    elif mode == "Always":
        fault = "interactiveMode is Always: the command wants to ask questions, and there is no terminal here"
    if fault:
        raise ConnectionFailed(f"The command (exec) that gets the credentials of {user} cannot be used: {fault}.")
    return [str(command), *arguments]


def _is_variable(entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        return False
    return bool(entry["name"]) and isinstance(entry.get("value"), str | None)


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: cluster[name] for name in _CLUSTER_INFO if cluster.get(name)} | {"config": None}
    if "certificate-authority-data" not in told and cluster.get("certificate-authority"):
        with suppress(OSError):  # reported where the connection needs it
            content = Path(cluster["certificate-authority"]).read_bytes()
            told["certificate-authority-data"] = base64.b64encode(content).decode()
    for extension in cluster.get("extensions") or []:
        if isinstance(extension, Mapping) and extension.get("name") == _EXTENSION:
            told["config"] = extension.get("extension")
    return told


def _ended(
    process: subprocess.Popen[bytes], command: str, user: str, say: Say | None, secrets: list[str]
) -> tuple[bytes, bytes]:
    """Wait for the command and return what it wrote; end it after the time limit."""
    report = WaitReport(say)
    passed = 0.0
    while True:
        try:
            return process.communicate(timeout=LOOK_INTERVAL)
        except subprocess.TimeoutExpired as error:
            output, errors = error.output or b"", error.stderr or b""
        except BaseException:
            _end(process)
            raise
        if process.poll() is not None:  # what it has started still holds its output open
            return output, errors
        passed += LOOK_INTERVAL
        words = _quoted(errors, secrets)
        if passed >= TIME_LIMIT:
            _end(process)
            raise ConnectionFailed(
                f"The command {command} that gets the credentials of {user} did not end within {TIME_LIMIT:g} s and "
                f"was ended{words or '.'} Run it by hand to see what it waits for: nobody can answer it here."
            )
        report.tell(
            f"waiting for the command {command} that gets the credentials of {user}; it is ended after "
            f"{TIME_LIMIT:g} s{words}"
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _secrets(command: list[str], variables: Mapping[str, str]) -> list[str]:
    """Return what the kubeconfig gives to the command under a name that sounds secret."""
    named = [*variables.items(), *(argument.partition("=")[::2] for argument in command), *pairwise(command)]
    return [value for name, value in named if value and _SECRET_NAME.search(name)]


def _quoted(errors: bytes, secrets: list[str]) -> str:
    """Return what the command wrote to its error output, its end where it is long, without what may be secret."""
    text = errors.decode("utf-8", "replace")
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join(_SECRETS.sub("***", text).split())
    return f": {'…' if len(text) > _QUOTED else ''}{text[-_QUOTED:]}" if text else ""


def _status(output: bytes, version: str, name: str, words: str) -> dict[str, Any]:
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        answer = None
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise ConnectionFailed(f"{name} wrote no ExecCredential to its output{words}")
    if answer.get("apiVersion") != version:
        raise ConnectionFailed(f"{name} wrote an ExecCredential of another apiVersion than {version}{words}")
    fields = ("token", "clientCertificateData", "clientKeyData", "expirationTimestamp")
    if not isinstance(status, dict) or not all(isinstance(status.get(key), str | None) for key in fields):
        raise ConnectionFailed(f"{name} wrote an ExecCredential without a status{words}")
    if bool(status.get("clientCertificateData")) != bool(status.get("clientKeyData")):
        raise ConnectionFailed(f"{name} wrote only one of clientCertificateData and clientKeyData{words}")
    if not status.get("token") and not status.get("clientKeyData"):
        raise ConnectionFailed(f"{name} wrote neither a token nor a client certificate{words}")
    return status


def seconds_of(timestamp: str | None) -> float | None:
    """Return expirationTimestamp as seconds since 1970; None where there is none that can be read."""
    try:
        return datetime.fromisoformat(timestamp).timestamp() if timestamp else None
    except ValueError:
        return None
