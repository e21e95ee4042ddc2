# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running installation is asked. One file a concern judges plain data; `system` asks, and changes nothing."""
