# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate for a stand-in: kept while it serves, issued anew if not; its key is seen by nobody else."""

from __future__ import annotations

import json
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from ansible_collections.agentsmith.dev.plugins.action import local_certificate
from ansible_collections.agentsmith.dev.plugins.plugin_utils.server_certificate import Files, issue
from cryptography.hazmat.primitives.serialization import load_pem_private_key

HOST = "slack.com"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where they are, in a directory that is not there yet."""
    return Files(tmp_path / "state" / HOST)


def run(files: Files, *, check_mode: bool = False, host: str = HOST) -> dict:
    arguments = {"host": host, "directory": str(files.directory)}
    task = MagicMock(args=arguments, check_mode=check_mode, async_val=0, collections=[])
    return local_certificate.ActionModule(task, MagicMock(), MagicMock(), None, None, MagicMock()).run(task_vars={})


def contents(files: Files) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files.directory.iterdir()}


def handshake(files: Files, host: str, authority: Path) -> None:
    """Let a client that trusts an authority connect to a server with the files, both in memory."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=authority).wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    unfinished = [client, server]
    while unfinished:
        for side in tuple(unfinished):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            unfinished.remove(side)


def test_a_client_that_trusts_the_authority_trusts_the_host_and_no_other(files: Files, tmp_path: Path) -> None:
    assert run(files) == {"changed": True, "reason": f"{files.certificate} does not exist"}
    handshake(files, HOST, files.authority)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(files, "api.slack.com", files.authority)
    other = Files(tmp_path / "other")
    run(other)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, HOST, other.authority)


def test_only_the_owner_may_read_the_key_and_the_authority_has_none(files: Files) -> None:
    result = run(files)
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert sorted(contents(files)) == ["ca.crt", "tls.crt", "tls.key"]
    assert b"PRIVATE" not in files.authority.read_bytes() + files.certificate.read_bytes()
    assert load_pem_private_key(files.key.read_bytes(), None)
    key = files.key.read_text().splitlines()[1:-1]
    assert not any(line in json.dumps(result) for line in key)


def test_what_serves_is_kept(files: Files) -> None:
    run(files)
    before = contents(files)
    assert run(files) == {"changed": False, "reason": ""}
    assert contents(files) == before


def lose(name: str) -> Callable[[Files], None]:
    return lambda files: (files.directory / name).unlink()


def write(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: (files.directory / name).write_bytes(content)


def take_from_another(name: str) -> Callable[[Files], None]:
    def exchange(files: Files) -> None:
        other = Files(files.directory.parent / "other")
        issue(other, HOST, datetime.now(UTC))
        (files.directory / name).write_bytes((other.directory / name).read_bytes())

    return exchange


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lose("tls.crt"), "tls.crt does not exist"),
        (lose("tls.key"), "tls.key does not exist"),
        (lose("ca.crt"), "ca.crt does not exist"),
        (write("tls.crt", b"nothing"), "tls.crt holds no certificate in PEM"),
        (write("tls.key", b"nothing"), "tls.key holds no private key in PEM"),
        (write("ca.crt", b"nothing"), "ca.crt is not the authority that issued"),
        (write("ca.crt", b"\xff\xfe"), "ca.crt cannot be read"),
        (take_from_another("tls.key"), "tls.key is not the key of the certificate"),
        (take_from_another("ca.crt"), "ca.crt is not the authority that issued"),
        (lambda files: files.key.chmod(0o640), "others may read"),
        (lambda files: issue(files, "example.com", datetime.now(UTC)), "tls.crt is for example.com, not for slack.com"),
        (lambda files: issue(files, HOST, datetime.now(UTC) - timedelta(days=340)), "tls.crt expires on "),
        (lambda files: issue(files, HOST, datetime.now(UTC) - timedelta(days=400)), "tls.crt has expired on "),
        (lambda files: issue(files, HOST, datetime.now(UTC) + timedelta(days=1)), "tls.crt is not valid before "),
    ],
)
def test_what_does_not_serve_is_issued_anew(files: Files, spoil: Callable[[Files], None], reason: str) -> None:
    run(files)
    spoil(files)
    before = contents(files)
    told = run(files, check_mode=True)
    assert told["changed"]
    assert reason in told["reason"]
    assert contents(files) == before
    assert run(files) == told
    handshake(files, HOST, files.authority)
    assert run(files) == {"changed": False, "reason": ""}
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = Files(tmp_path / "file" / HOST)
    assert run(files) == {"failed": True, "msg": f"directory: {files.directory}: Not a directory."}


@pytest.mark.parametrize(
    "host", ["", "ü.example.com", "a b", "*.slack.com", "10.0.0.1", "[fd00::7]", "a" * 60 + ".com.x"]
)
def test_a_host_that_no_certificate_here_is_for_is_refused(files: Files, host: str) -> None:
    assert run(files, host=host)["msg"].startswith("host must be a DNS name")
    assert not files.directory.exists()
