# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of Secrets: keys and values, who reads them, how they are masked, TLS, the address of Redis."""
