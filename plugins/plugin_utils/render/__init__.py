# SPDX-License-Identifier: GPL-3.0-or-later
"""How the manifests of a part are made from values, checked, labelled and written to files. It asks no cluster."""
