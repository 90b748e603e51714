from __future__ import annotations

from pathlib import Path

import pytest

from infra.engines import state
from infra.engines.kafka import Cluster, names
from infra.runtime.errors import EngineError


def test_one_node_is_called_as_the_engine_and_several_have_numbers() -> None:
    assert names(1) == ("kafka",)
    assert names(3) == ("kafka.1", "kafka.2", "kafka.3")


def test_of_three_copies_two_are_needed_and_of_one_itself() -> None:
    one = Cluster(id="c", controllers={1: 19093})
    three = Cluster(id="c", controllers={1: 19093, 2: 19094, 3: 19095})

    assert (one.copies, one.least, one.voters) == (1, 1, "1@127.0.0.1:19093")
    assert (three.copies, three.least) == (3, 2)
    assert three.voters == "1@127.0.0.1:19093,2@127.0.0.1:19094,3@127.0.0.1:19095"


def test_a_new_folder_takes_the_number_that_is_asked_for(tmp_path: Path) -> None:
    assert state.kafka_nodes(tmp_path, None) == 1
    assert state.kafka_nodes(tmp_path, 3) == 3


def test_the_first_start_fixes_the_number(tmp_path: Path) -> None:
    state.save(tmp_path, state.load(tmp_path), ports={"kafka": 9092}, kafka_nodes=3)

    assert state.kafka_nodes(tmp_path, None) == 3
    assert state.kafka_nodes(tmp_path, 3) == 3
    with pytest.raises(EngineError, match="has 3 nodes, fixed by its first start, not 1"):
        state.kafka_nodes(tmp_path, 1)


def test_a_folder_from_before_there_were_several_has_one(tmp_path: Path) -> None:
    state.write_private(
        tmp_path / state.FILE, '{"cluster_id": "c", "superuser": "s", "owner": "o", "ports": {"kafka": 9092}}'
    )

    with pytest.raises(EngineError, match="has 1 node, "):
        state.kafka_nodes(tmp_path, 3)
