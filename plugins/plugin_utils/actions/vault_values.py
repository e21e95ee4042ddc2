# SPDX-License-Identifier: GPL-3.0-or-later
"""What is encrypted with Ansible Vault: the value that no password opens, and what the development password opens."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import (
    AnsibleVaultError,
    EncryptedString,
    VaultHelper,
    VaultLib,
    VaultSecret,
    VaultSecretsContext,
    parse_vaulttext_envelope,
)

from .value_origin import origin_of

PUBLISHED_PASSWORD = b"agentsmith-dev"
"""The content of inventories/dev.vault-password, which opens nothing but dummies."""

_HEADER = b"$ANSIBLE_VAULT;"


def locked_by(value: object) -> str | None:
    """Return the vault id of a value that is encrypted and that no given password opens."""
    if not isinstance(value, EncryptedString):
        return None
    try:
        str(value)
    except AnsibleError:
        return _vault_id(_ciphertext(value))
    return None


def locked_file(loader: DataLoader, source: str) -> tuple[str, str] | None:
    """Return the first file of variables for all hosts of an inventory that no given password opens, and its vault id.

    Ansible's own message does not name the file. It is read as Ansible reads it next, from whose cache it then comes.
    """
    directory = Path(source).resolve() if Path(source).is_dir() else Path(source).resolve().parent
    for file in map(str, loader.find_vars_files(str(directory / "group_vars"), "all")):
        try:
            loader.load_from_file(file, cache="all", unsafe=True, trusted_as_template=True)
        except AnsibleVaultError:
            return file, _vault_id(_content(Path(file)))
        except AnsibleError:  # Ansible says what is wrong with it
            return None
    return None


def refuse_published_password(variables: Mapping[str, Any]) -> None:
    """Fail if a value of another environment than inventories/dev is encrypted with the development password."""
    if found := under_published_password(variables):
        raise AnsibleActionFail(
            f"{', '.join(found)}: encrypted with the development password, which is published with this project, so "
            "everybody can read it. Only inventories/dev of its repository may use it. Encrypt it with a password of "
            "your own: docs/how-to/secrets.md, 'Change the Vault password'. Change the secrets themselves, too, if "
            "anybody else may have seen the file. Nothing was rendered or changed."
        )


def under_published_password(variables: Mapping[str, Any]) -> list[str]:
    """Name what is encrypted with the development password: files of variables, and single variables.

    A password is tried on each by a key derivation of some 7 ms. So none is tried without need: what this run can
    decrypt is under a password that was given. The hosts of inventories/dev use it by right, and so do its files.
    """
    context = VaultSecretsContext.current(optional=True)
    given = {secret.bytes for _identity, secret in context.secrets} if context else set()
    if PUBLISHED_PASSWORD not in given or _is_of_development(f"{variables.get('inventory_dir')}/"):
        return []
    ciphertexts: dict[str, bytes] = {}
    for name, value in variables.items():
        if name == "vars":  # Ansible's own copy of the others
            continue
        if (file := _file_of(value)) and f"The file {file}" not in ciphertexts:
            ciphertexts[f"The file {file}"] = b"" if _is_of_development(file) else _content(Path(file))
        for path, item in _encrypted(name, value):
            if not _is_of_development(_file_of(item)):
                ciphertexts[f"The value of {path}"] = _ciphertext(item)
    return [what for what, ciphertext in ciphertexts.items() if ciphertext and _opens(ciphertext)]


def _file_of(value: Any) -> str:
    """Where it was written, if that is a file."""
    origin = origin_of(value)
    return origin.file or "" if origin else ""


def _encrypted(name: str, value: Any) -> Iterator[tuple[str, EncryptedString]]:
    if isinstance(value, EncryptedString):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _encrypted(f"{name}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _encrypted(f"{name}[{index}]", item)


def _is_of_development(path: str) -> bool:
    return "/inventories/dev/" in path


def _content(file: Path) -> bytes:
    """The content of a file, if it is encrypted."""
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_HEADER))
            return start + stream.read() if start == _HEADER else b""
    except OSError:
        return b""


def _ciphertext(value: EncryptedString) -> bytes:
    return str(VaultHelper.get_ciphertext(value, with_tags=False)).encode()


def _vault_id(ciphertext: bytes) -> str:
    try:
        return str(parse_vaulttext_envelope(ciphertext)[3])
    except AnsibleError:
        return "unknown: it is no text of Ansible Vault"


def _opens(ciphertext: bytes) -> bool:
    """Whether the development password opens it, under the id that it has: Ansible may be told to try no other."""
    try:
        VaultLib([(_vault_id(ciphertext), VaultSecret(PUBLISHED_PASSWORD))]).decrypt(ciphertext)
    except AnsibleError:
        return False
    return True
