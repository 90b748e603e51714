"""The topology is whole: what one part writes another reads, and names are said once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from schemas.topics import CHANGELOG_CONFIG, MAX_RECORD_BYTES, TOPICS
from streams.topics import ALERT_EVENTS, ALERT_SIGNALS, CASE_EVENTS, CONFIG_EVENTS
from topologies.faust.changelog import MAX_BATCH_BYTES
from topologies.graph import TOPOLOGY, Kind, Topology
from topologies.provision import topics
from topologies.step import ROWS_LIMIT, size_of


def test_two_stages_may_not_read_one_topic() -> None:
    twice = replace(TOPOLOGY.stage("cases"), name="copy")
    with pytest.raises(ValueError, match="the same topic"):
        Topology(sources=(), stages=(*TOPOLOGY.stages, twice), sinks=())


def test_every_topic_is_in_the_catalogue_and_everything_written_is_read() -> None:
    read = {s.reads for s in TOPOLOGY.stages} | {f.topic for f in TOPOLOGY.sinks} | {s.reads for s in TOPOLOGY.sources}
    written = {t for s in TOPOLOGY.sources for t in s.writes}
    for stage in TOPOLOGY.stages:
        written |= {*stage.emits, *(topic for topic in (stage.events, stage.copies) if topic is not None)}
    assert read - {None} == written | {ALERT_SIGNALS} == set(TOPICS)


def test_a_stage_that_ticks_is_told_the_time_and_one_that_needs_configuration_gets_it() -> None:
    (clock,) = (source for source in TOPOLOGY.sources if source.name == "clock")
    assert set(TOPOLOGY.ticking()) == set(clock.writes)
    assert {stage.reads for stage in TOPOLOGY.stages if stage.config} == set(TOPOLOGY.stage("config").emits)


def test_groups_tables_and_topics_have_names_of_their_own() -> None:
    groups = TOPOLOGY.groups()
    assert max(Counter(groups).values()) == 1
    assert len({s.changelog for s in TOPOLOGY.stages}) == len(TOPOLOGY.stages)
    made = topics()
    assert set(made) == {*TOPICS, *(s.changelog for s in TOPOLOGY.stages), *(f"{group}.dlq" for group in groups)}


def test_views_are_fed_from_topics_that_are_kept_for_ever() -> None:
    for feed in TOPOLOGY.sinks:
        assert feed.kind is Kind.PROJECTION
        assert TOPICS[feed.topic].retention_ms == -1
    assert {f.topic for f in TOPOLOGY.sinks if f.into == "postgres"} == {CASE_EVENTS, ALERT_EVENTS, CONFIG_EVENTS}


def test_only_changelogs_are_compacted() -> None:
    compacted = {name for name, config in topics().items() if "compact" in config["cleanup.policy"]}
    assert compacted == {stage.changelog for stage in TOPOLOGY.stages}


def test_what_a_fold_may_send_fits_everywhere_on_its_way() -> None:
    """A record with its key, and a batch of one record around it; a command's rows in one batch of the changelog."""
    around = 1_024
    assert all(int(t.config["max.message.bytes"]) >= MAX_RECORD_BYTES + around for t in TOPICS.values())
    assert ROWS_LIMIT + around < MAX_BATCH_BYTES < int(CHANGELOG_CONFIG["max.message.bytes"])
    assert size_of(((b"key", b"row"), (b"gone", None))) == 3 + 3 + 32 + 4 + 32
