# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exit code of a container means, in a few words: those that container runtimes and shells agree on."""

import signal

# Above this, the code is that of a signal (https://tldp.org/LDP/abs/html/exitcodes.html)
_BY_SIGNAL = 128
_MEANINGS = {
    1: "it failed, and its log says why",
    125: "the container could not be started",
    126: "its command cannot be executed",
    127: "its command does not exist in the image",
}
_OF_SIGNALS = {
    signal.SIGABRT: "aborted, as .NET does at an exception that nobody handles",
    signal.SIGKILL: "killed: by the kernel for memory, or because it did not end in time",
    signal.SIGSEGV: "crashed with a fault of memory access",
    signal.SIGTERM: "told to stop",
}


def meaning_of(code: int) -> str:
    """Return what an exit code means, empty if only the program itself knows."""
    if code in _MEANINGS:
        return _MEANINGS[code]
    try:
        number = signal.Signals(code - _BY_SIGNAL)
    except ValueError:
        return ""
    return f"{number.name}: {_OF_SIGNALS[number]}" if number in _OF_SIGNALS else number.name
