# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the version of pip that ansible-test wants in its environments."""

import sys
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

print(get_venv_packages(SimpleNamespace(version=f"{sys.version_info[0]}.{sys.version_info[1]}"))["pip"])
