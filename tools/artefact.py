# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the artefact of a commit that people install, so that every build of the commit has the same bytes.

Usage: artefact.py COMMIT DIRECTORY      writes <namespace>-<name>-<version>.tar.gz there, and its checksum beside it

Three things differ between two runs of `ansible-galaxy collection build`: the times of the files, those of the archive,
and the order in which the file system lists the files. Files that git does not know would come with it, too.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

GALAXY = Path(sys.executable).with_name("ansible-galaxy")
CHECKOUT = Path(__file__).resolve().parents[1]


def git(checkout: Path, *arguments: str) -> str:
    """Return what git says, without the end of its last line."""
    return subprocess.run(["git", *arguments], cwd=checkout, check=True, capture_output=True, text=True).stdout.rstrip()


def build(checkout: Path, commit: str, directory: Path) -> Path:
    """Build the artefact of a commit in a directory, and return it."""
    with tempfile.TemporaryDirectory() as place:
        tree, built, packed = Path(place, "tree"), Path(place, "built"), Path(place, "packed.tar")
        git(checkout, "archive", f"--output={packed}", commit)
        with tarfile.open(packed) as archive:
            archive.extractall(tree, filter="data")
        subprocess.run(
            [GALAXY, "collection", "build", tree, "--output-path", built], check=True, stdout=subprocess.DEVNULL
        )
        (raw,) = built.glob("*.tar.gz")
        directory.mkdir(parents=True, exist_ok=True)
        artefact = directory / raw.name
        artefact.write_bytes(settled(raw, int(git(checkout, "log", "-1", "--format=%ct", commit))))
    checksum = hashlib.sha256(artefact.read_bytes()).hexdigest()
    artefact.with_name(f"{artefact.name}.sha256").write_text(f"{checksum}  {artefact.name}\n")
    return artefact


def settled(raw: Path, time: int) -> bytes:
    """Return a collection's archive with its files in the order of their names, all of one time."""
    with tarfile.open(raw) as archive:
        members = {member.name: member for member in archive}
        contents = {name: archive.extractfile(member).read() for name, member in members.items() if member.isreg()}
    files, manifest = (json.loads(contents[name]) for name in ("FILES.json", "MANIFEST.json"))
    files["files"].sort(key=lambda file: file["name"])
    contents["FILES.json"] = json.dumps(files, indent=1).encode()
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents["FILES.json"]).hexdigest()
    contents["MANIFEST.json"] = json.dumps(manifest, indent=1).encode()
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, time) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        # The manifests stand at the beginning, where their readers find them without unpacking all
        for name in ("MANIFEST.json", "FILES.json", *sorted(members.keys() - {"MANIFEST.json", "FILES.json"})):
            members[name].mtime = time
            members[name].size = len(contents.get(name, b""))
            archive.addfile(members[name], io.BytesIO(contents.get(name, b"")))
    return packed.getvalue()


if __name__ == "__main__":
    print(build(CHECKOUT, sys.argv[1], Path(sys.argv[2])))
