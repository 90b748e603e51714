"""Passwords of the database roles in tests: roles belong to the server, so all databases of a run must agree on them."""

from __future__ import annotations

from typing import Final

APP_PASSWORD: Final = "app-role-of-the-tests"
SINK_PASSWORD: Final = "sink-role-of-the-tests"
READER_PASSWORD: Final = "reader-role-of-the-tests"
