"""How often a process looks for cycles of objects that nobody holds any more."""

from __future__ import annotations

import gc

_YOUNG = 50_000
_MIDDLE = 20
_OLD = 50


def collect_seldom() -> None:
    """Look seldom, and never again at what is there by now. For processes that hold many records, which have no cycles.

    At its default the collector walks them hundreds of times a second for nothing: a tenth of a fold's time, and a third
    of what it takes to project an event, as the events of a whole batch are alive at once.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
