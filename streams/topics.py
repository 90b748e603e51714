"""The names of topics, as constants. What is in them, how long, and for whom stands in `schemas.topics`."""

from __future__ import annotations

from typing import Final

ALERT_SIGNALS: Final = "alert.signals"
ALERT_COMMANDS: Final = "alert.commands"
ALERT_EVENTS: Final = "alert.events"
CASE_INTAKE: Final = "case.intake"
CASE_COMMANDS: Final = "case.commands"
CASE_EVENTS: Final = "case.events"
CASE_REACTIONS: Final = "case.reactions"
CONFIG_COMMANDS: Final = "config.commands"
CONFIG_EVENTS: Final = "config.events"
