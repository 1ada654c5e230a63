"""How fast a device runs just now, as far as it tells.

Pace(mhz=1410, full=1980, reason="heat").throttled      True
"""

from typing import NamedTuple

THROTTLED = 0.75  # of the full clock: below that nvbench, too, drops what it has measured


class Pace(NamedTuple):
    """The clock and the highest one, in MHz, and what holds it back, as the driver says."""

    mhz: float
    full: float
    reason: str = ""

    @property
    def throttled(self) -> bool:
        return self.mhz < THROTTLED * self.full
