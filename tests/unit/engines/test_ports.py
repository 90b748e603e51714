"""Which ports the engines get."""

from __future__ import annotations

import socket

import pytest

from infra.engines import Ports
from infra.engines.ports import HOST, LOWEST, USUAL, any_free, choose, free
from infra.runtime.errors import PortTaken


def listening() -> socket.socket:
    server = socket.socket()
    server.bind((HOST, 0))
    server.listen()
    return server


def test_a_taken_port_that_was_asked_for_is_an_error_that_names_it() -> None:
    with listening() as server:
        port = server.getsockname()[1]

        with pytest.raises(PortTaken, match=f"port {port}, asked for postgres, is taken"):
            choose(Ports(postgres=port), {})


def test_the_port_of_last_time_comes_back_while_it_is_free() -> None:
    port = any_free(set())

    assert choose(Ports(kafka=0), {"kafka": port})["kafka"] == port


def test_a_taken_port_of_last_time_gives_way_to_another() -> None:
    with listening() as server:
        port = server.getsockname()[1]

        chosen = choose(Ports.any_free(), {"redis": port})["redis"]

    assert chosen != port


def test_all_ports_differ_even_where_one_was_remembered_twice() -> None:
    port = any_free(set())

    chosen = choose(Ports.any_free(), dict.fromkeys(USUAL, port))

    assert len(set(chosen.values())) == len(USUAL)


def test_the_same_port_cannot_be_asked_for_twice() -> None:
    port = any_free(set())

    with pytest.raises(PortTaken):
        choose(Ports(kafka=port, redis=port), {})


def test_free_ports_are_no_clients_ports() -> None:
    port = any_free(set())

    assert LOWEST <= port < 32_768
    assert free(port)
