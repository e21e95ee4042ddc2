# SPDX-License-Identifier: GPL-3.0-or-later
"""The masking of a report as the last thing before it leaves: by the values of the Secrets, and by form."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..secrets.credential_patterns import mask_credentials
from ..secrets.redaction import MASK, Redactor


class Mask:
    """Masks a structure of plain types and dataclasses, keys included, and counts what is masked.

    ``values``: values of Secrets. ``patterns``: what looks like a credential. ``fields``: what was masked as a whole
    before it came here, whatever its value (credential_patterns.mask_variables, redaction.essence).
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.values = self.patterns = self.fields = 0

    def of(self, value: Any) -> Any:
        """Return *value* masked."""
        if isinstance(value, str):
            self.fields += value == MASK
            by_value, values = self._redactor.counted(value)
            shown, patterns = mask_credentials(by_value)
            self.values += values
            self.patterns += patterns
            return shown
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{entry.name: self.of(getattr(value, entry.name)) for entry in fields(value)})
        if isinstance(value, Mapping):
            return {self.of(key): self.of(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(entry) for entry in value]
        return value
