"""What all tests share: the fixtures of the real engines."""

from __future__ import annotations

pytest_plugins = ["tests.engines"]
