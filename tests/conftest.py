"""What all tests share: the fixtures of the real engines and of a whole stack on them."""

from __future__ import annotations

pytest_plugins = ["tests.engines", "tests.stack", "tests.installed"]
