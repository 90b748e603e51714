"""Elasticsearch as one node, put together from its published jars."""

from __future__ import annotations

from infra.engines.elasticsearch.node import Elasticsearch

__all__ = ["Elasticsearch"]
