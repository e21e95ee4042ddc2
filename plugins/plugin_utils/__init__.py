# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the plugins, one folder a layer."""

from importlib.machinery import SourceFileLoader

if __spec__ and not isinstance(__spec__.loader, SourceFileLoader):  # Python's own loader keeps bytecode itself
    from .cache.compiled_modules import compile_once

    _PLUGINS = __name__.rpartition(".")[0]
    compile_once([__name__, f"{_PLUGINS}.modules", f"{_PLUGINS}.doc_fragments"])
