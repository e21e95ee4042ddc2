# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m stand_in` is the stand-in Dispatcher: the image then needs no command, as the app's needs none."""

from __future__ import annotations

import sys

from stand_in.dispatcher import main

sys.exit(main())
