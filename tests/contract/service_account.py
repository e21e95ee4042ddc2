# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a ServiceAccount, as the kubelet projects it into a pod."""

from __future__ import annotations

import secrets
from pathlib import Path

FILES = ("token", "ca.crt", "namespace")


class ServiceAccount:
    """Files below a `..data` link, which is swapped whole when one of them changes."""

    def __init__(self, directory: Path, namespace: str, ca: str) -> None:
        """Write the files into an empty directory."""
        self.directory = directory
        self._content = {"token": "", "ca.crt": ca, "namespace": namespace}
        for name in FILES:
            (directory / name).symlink_to(f"..data/{name}")
        self.rotate_token()

    def rotate_token(self) -> None:
        """Replace the token: from now on no other one is accepted."""
        self._content["token"] = f"service-account-token-{secrets.token_hex(8)}"
        self._write()

    def trust(self, ca: str) -> None:
        """Replace ca.crt."""
        self._content["ca.crt"] = ca
        self._write()

    @property
    def token(self) -> str:
        """The token that is valid now."""
        return self._content["token"]

    def accepts(self, authorization: str | None) -> bool:
        """Whether a request with that header is the ServiceAccount's."""
        return authorization == f"Bearer {self.token}"

    def _write(self) -> None:
        version = self.directory / f"..{secrets.token_hex(4)}"
        version.mkdir()
        for name, content in self._content.items():
            (version / name).write_text(content, encoding="utf-8")
        link = self.directory / "..data_new"
        link.symlink_to(version.name)
        link.replace(self.directory / "..data")
