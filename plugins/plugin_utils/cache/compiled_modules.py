# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of this collection, compiled once.

Ansible compiles every module of a collection anew in each run: its loader of collections knows no bytecode. A hundred
modules take longer than the rest of a deploy that changes nothing.
"""

import hashlib
import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from .private_files import PrivateFiles


def compile_once(packages: Sequence[str]) -> None:
    """Import the modules of packages of this collection from compiled ones, for as long as the process lives.

    It stands right before Ansible's finder, which would answer. Who stands before that (ansible-test) stays first.
    """
    finders = [type(finder).__module__ for finder in sys.meta_path]
    place = next((index for index, module in enumerate(finders) if module.startswith("ansible.")), 0)
    sys.meta_path.insert(place, _CompiledModules(tuple(f"{package}." for package in packages)))


class _CompiledModules:
    """A finder of the import system. It answers for its own modules only; all others go to those after it."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self._prefixes = prefixes
        self._files = PrivateFiles("modules")

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module lies, as the import system asks."""
        if not path or not name.startswith(self._prefixes):
            return None
        place = Path(path[0], name.rpartition(".")[2])
        is_package = place.is_dir()
        file = place / "__init__.py" if is_package else place.with_name(f"{place.name}.py")
        if not file.is_file():
            return None
        loader = _Loader(name, str(file), self._files)
        return spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=[str(place)] if is_package else None
        )


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, files: PrivateFiles) -> None:
        super().__init__(name, path)
        self._files = files

    def get_code(self, _name: str) -> CodeType:
        """Return the code of the module. Its file is read in any case: that tells whether it is the same."""
        source = self.get_data(self.path)
        # The path is in the code, for tracebacks
        name = hashlib.sha256(MAGIC_NUMBER + os.fsencode(self.path)).hexdigest()
        kept = self._files.read(name, source)
        if kept is not None:
            code: CodeType = marshal.loads(kept)  # noqa: S302 - of this user, and whole
            return code
        code = self.source_to_code(source, self.path)
        self._files.write(name, source, marshal.dumps(code))
        return code
