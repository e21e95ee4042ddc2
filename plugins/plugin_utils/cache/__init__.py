# SPDX-License-Identifier: GPL-3.0-or-later
"""What was compiled once and is kept between runs. It knows nothing of Kubernetes."""
