"""How routing keys are made: nobody can guess one, and a request that is repeated gets the same one."""

from __future__ import annotations

from command_api.operations.routing_keys import mint


def test_a_request_that_cannot_be_repeated_gets_a_key_of_chance() -> None:
    assert mint("secret", None, "p") != mint("secret", None, "p")
    assert len(mint("secret", None, "p")) == 32


def test_a_request_that_is_repeated_gets_the_same_key() -> None:
    assert mint("secret", "again", "p") == mint("secret", "again", "p")


def test_another_caller_project_or_request_gets_another_key() -> None:
    keys = {
        mint("secret", "again", "p"),
        mint("other", "again", "p"),
        mint("secret", "new", "p"),
        mint("secret", "again", "q"),
    }

    assert len(keys) == 4
