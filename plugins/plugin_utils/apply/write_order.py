# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the objects of a release are written, and deleted: in waves by kind (objects/kinds.py)."""

from collections.abc import Iterator, Sequence

from ..objects.kinds import WriteOrder, kind_of
from ..objects.planned_object import PlannedObject


def waves(planned: Sequence[PlannedObject], reverse: bool = False) -> Iterator[list[PlannedObject]]:
    """Yield the objects that may be written at the same time, the first wave first; the last first in *reverse*."""
    for wave in sorted(set(map(wave_of, planned)), reverse=reverse):
        yield [item for item in planned if wave_of(item) == wave]


def wave_of(item: PlannedObject) -> WriteOrder:
    """Return the place of an object in the order of writes."""
    kind = kind_of(item.identity.group, item.identity.kind)
    return kind.update_order if item.live and kind.update_order is not None else kind.write_order
