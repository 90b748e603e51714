"""The servers underneath: Kafka, Postgres, Elasticsearch and Redis, started here, in containers, or somebody else's."""

from __future__ import annotations

from infra.engines.address import Addresses, Ports
from infra.engines.start import KINDS, Engines, start

__all__ = ["KINDS", "Addresses", "Engines", "Ports", "start"]
