# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubectl and the product ask the same server as the same user, or the product asks none and says why.

Each case is run with both, against servers that note address, name (SNI), Authorization, client certificate,
impersonation and proxy. The table says which of both outcomes it has.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApplyError
from kubectl_cases import CASES, PLUGIN, REFUSED, Case
from local_servers import Asked, Authority, LocalProxy, LocalServer, address_of_this_machine, closing

KUBECTL = Path(os.environ.get("AGENTSMITH_KUBERNETES_BIN", ""), "kubectl").absolute()
pytestmark = pytest.mark.skipif(
    not os.environ.get("AGENTSMITH_KUBERNETES_BIN"), reason="AGENTSMITH_KUBERNETES_BIN names no directory with kubectl"
)

# The options that kubectl has as flags
FLAGS = {
    "kubeconfig": "--kubeconfig={}",
    "context": "--context={}",
    "host": "--server={}",
    "api_key": "--token={}",
    "username": "--username={}",
    "password": "--password={}",
    "ca_cert": "--certificate-authority={}",
    "client_cert": "--client-certificate={}",
    "client_key": "--client-key={}",
    "impersonate_user": "--as={}",
}


@dataclass
class World:
    """The servers and proxies of the tests, and the files for them."""

    directory: Path
    servers: dict[str, LocalServer]
    proxies: dict[str, LocalProxy]
    values: dict[str, str] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """Put addresses and paths in place of the names in angle brackets."""
        text = json.dumps(value)
        for name, found in self.values.items():
            text = text.replace(f"<{name}>", json.dumps(found)[1:-1])
        return json.loads(text)

    def clear(self) -> None:
        """Forget what was asked so far."""
        for one in (*self.servers.values(), *self.proxies.values()):
            one.asked.clear()

    def asked(self) -> set[Any]:
        """Return what was asked: by servers, and by proxies with their names. Repetitions count once."""
        found: set[Asked | tuple[str, str, str]] = {asked for one in self.servers.values() for asked in one.asked}
        for name, proxy in self.proxies.items():
            found |= {(name, *asked) for asked in proxy.asked}
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return running servers and proxies."""
    directory = tmp_path_factory.mktemp("world")
    here = address_of_this_machine() or "127.0.0.1"
    one, other, plain = Authority(directory, "one"), Authority(directory, "other"), Authority(directory, "plain", True)
    names = ("127.0.0.1", "localhost", "cluster.test", here)
    alice, bob = one.sign("alice"), one.sign("bob")
    made = {name: authority.sign(name, *names) for name, authority in
            (("alpha", one), ("beta", one), ("gamma", other), ("strict", plain))}  # fmt: skip
    servers = {name: LocalServer(name, pair, one.file) for name, pair in made.items()}
    servers["named"] = LocalServer("named", one.sign("named", "internal.test"), one.file)
    servers["expired"] = LocalServer("expired", one.sign("expired", *names, until=-1), one.file)
    servers["clear"] = LocalServer("clear")
    proxies = {
        "http": LocalProxy(),
        "asking": LocalProxy(password="user:p@ss"),
        "tls": LocalProxy(certificate=one.sign("proxy", "127.0.0.1")),
        "socks": LocalProxy("socks5"),
        "socks_asking": LocalProxy("socks5", "user:p@ss"),
    }
    found = World(directory, servers, proxies)
    for name, server in servers.items():
        found.values[name] = f"http{'' if name == 'clear' else 's'}://127.0.0.1:{server.port}"
        found.values[f"{name}.port"] = str(server.port)
    found.values |= {f"{name}.proxy": f"127.0.0.1:{proxy.port}" for name, proxy in proxies.items()}
    found.values |= {"here": here, "dir": str(directory), "one.ca": str(one.file), "other.ca": str(other.file)}
    found.values |= {"one.data": one.data, "other.data": other.data, "plain.data": plain.data}
    for name, (certificate, key) in {"alice": alice, "bob": bob}.items():
        found.values |= {f"{name}.crt": str(certificate), f"{name}.key": str(key)}
        found.values[f"{name}.crt.text"] = certificate.read_text(encoding="utf-8")
        found.values[f"{name}.key.text"] = key.read_text(encoding="utf-8")
    with closing(*servers.values(), *proxies.values()):
        yield found


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these variables, and none of the developer's that would count."""
    kept = dict(os.environ)
    for name in kept:
        if name.startswith(("K8S_AUTH_", "KUBE")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def flags_of(options: Mapping[str, Any]) -> list[str]:
    """Return the options as flags of kubectl."""
    flags = [FLAGS[name].format(value) for name, value in options.items() if name in FLAGS]
    flags += [f"--as-group={group}" for group in options.get("impersonate_groups", ())]
    return flags + (["--insecure-skip-tls-verify"] if options.get("validate_certs") is False else [])


def product_asks(options: Mapping[str, Any]) -> str:
    """Ask with the product; return its words where it fails."""
    try:
        with Connection(options) as connection:
            connection.get("/version")
    except ApplyError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def plugins(world: World) -> None:
    """Write the commands for credentials."""
    certificate, key = (world.values[f"bob.{part}.text"] for part in ("crt", "key"))
    pair = json.dumps({"clientCertificateData": certificate, "clientKeyData": key})
    shell = "#!/bin/sh\n"
    info = (
        f"#!{sys.executable}\nimport json, os\n"
        "spec = json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']\n"
        "token = json.dumps(spec, sort_keys=True).replace(' ', '')\n"
        "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'status': {'token': token}}))\n"
    )
    texts = {
        "token": PLUGIN.format(version="v1", status='{"token": "of-the-command"}'),
        "beta": PLUGIN.format(version="v1beta1", status='{"token": "of-v1beta1"}'),
        "echo": PLUGIN.format(version="v1", status='{"token": "$1-$WHO"}'),
        "certificate": PLUGIN.format(version="v1", status=pair.replace("\\n", "\\\\n")),
        "info": info,
        "nothing": PLUGIN.format(version="v1", status="{}"),
        "words": f"{shell}echo hello\n",
        "failing": f"{shell}echo 'the session has ended, run login' >&2\nexit 3\n",
    }
    for name, text in texts.items():
        _write(world.directory / f"plugin-{name}", text)

    def token(expires: int) -> str:
        parts = ({"alg": "none"}, {"exp": expires})
        return (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"
        )

    world.values |= {
        "jwt": token(4102444800),
        "old.jwt": token(1),
        "one.text": Path(world.values["one.ca"]).read_text(),
    }
    for name in ("alice.crt", "alice.key", "alpha.crt"):
        text = (world.directory / name).read_bytes()
        world.values[f"{name}.data"] = base64.b64encode(text).decode()
    world.values["alpha.data"] = world.values["alpha.crt.data"]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if text.startswith("#!"):
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")  # as wanted
@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_server_as_the_same_user(case: Case, world: World, tmp_path: Path) -> None:
    world.values["files"] = str(tmp_path)
    for path, content in case.files.items():
        filled = world.filled(content)
        _write(tmp_path / path, filled if isinstance(filled, str) else json.dumps(filled))
    variables = {"HOME": str(tmp_path / "home"), **world.filled(dict(case.environment))}
    if case.kubeconfig is not None:
        variables["KUBECONFIG"] = world.filled(case.kubeconfig)
    options = world.filled(dict(case.options))
    with environment(variables):
        world.clear()
        flags = flags_of(options if case.flags is None else world.filled(dict(case.flags)))
        command = [KUBECTL, "get", "--raw", "/version", "--request-timeout=5s", *flags]
        kubectl = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        by_kubectl = world.asked()
        world.clear()
        told = product_asks(options)
        by_product = world.asked()
    assert case.words in told
    if case.outcome == REFUSED:
        assert told
        assert by_product == set()
    else:
        assert by_product == by_kubectl, f"kubectl: {kubectl.stderr}\nproduct: {told}"
        assert bool(told) == bool(kubectl.returncode), f"kubectl: {kubectl.stderr}\nproduct: {told}"


def test_the_table_is_large_enough_and_says_when_both_ask(world: World) -> None:
    assert len(CASES) >= 40
    assert sum(not case.words for case in CASES) >= 40
    assert world.values["here"] != "127.0.0.1", "this machine has no address but loopback: NO_PROXY is not tried"
