# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers of other tools say, in the status of our objects, about serving them."""
