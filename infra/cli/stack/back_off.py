"""How long to wait before what ended is started again. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAUSES: Final = (0.3, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_SECONDS: Final = 60.0


@dataclass(slots=True)
class BackOff:
    """One engine's or role's. The pause grows with each end, and begins anew after a run that lasted."""

    ends: int = 0

    def after(self, ran: float) -> float:
        """Return the pause, in seconds, after an end that followed `ran` seconds of running."""
        if ran >= STEADY_SECONDS:
            self.ends = 0
        pause = PAUSES[min(self.ends, len(PAUSES) - 1)]
        self.ends += 1
        return pause
