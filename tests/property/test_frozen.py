"""A faster constructor and a faster `replace` make just what those of `dataclasses` make."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Decoded
from streams.alerts.alert import Alert
from streams.cases.case import Case
from streams.cases.events import CaseOpened
from streams.envelope import Envelope, Origin
from streams.frozen import quick, replace
from streams.stage import Forward, Handled
from tests.property.instances import of

QUICK = (Alert, Case, CaseOpened, Decoded, Envelope, Forward, Handled, Origin)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    name: str
    count: int = 7
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str | None = None


@quick
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    name: str
    count: int = 7
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str | None = None


GIVEN = st.fixed_dictionaries(
    {"name": st.text()},
    optional={"count": st.integers(), "tags": st.dictionaries(st.text(), st.text()), "note": st.none() | st.text()},
)


@given(said=GIVEN)
def test_a_quick_class_is_made_as_a_plain_one(said: dict[str, Any]) -> None:
    plain, made = Plain(**said), Quick(**said)
    assert type(made) is Quick
    assert dataclasses.asdict(made) == dataclasses.asdict(plain)
    assert repr(made) == repr(plain).replace("Plain", "Quick")
    assert made == Quick(**said)


@given(said=GIVEN, changes=GIVEN)
def test_replacing_changes_what_is_named_and_nothing_else(said: dict[str, Any], changes: dict[str, Any]) -> None:
    made = Quick(**said)
    assert replace(made, **changes) == dataclasses.replace(made, **changes)
    assert made == Quick(**said)


@given(data=st.data())
def test_what_the_fold_makes_is_the_same_by_either_way(data: st.DataObject) -> None:
    made = data.draw(of(data.draw(st.sampled_from([Alert, Case, CaseOpened, Envelope, Origin]))))
    assert replace(made) == made == dataclasses.replace(made)
    assert copy.copy(made) == made == pickle.loads(pickle.dumps(made))


@pytest.mark.parametrize("cls", QUICK)
def test_a_quick_class_stays_frozen(cls: type[Any]) -> None:
    made = cls(**{f.name: "x" for f in dataclasses.fields(cls)})
    for field in dataclasses.fields(cls):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, field.name, "y")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(replace(made), dataclasses.fields(cls)[0].name, "y")


def test_fields_may_be_given_by_position_as_well() -> None:
    envelope: Any = "an envelope"
    made = Decoded("name", envelope, "body", after="after")
    assert made == Decoded(name="name", envelope=envelope, body="body", after="after")
    assert made != Decoded("name", envelope, "body")


def test_each_instance_has_a_default_of_its_own() -> None:
    assert Quick(name="a").tags is not Quick(name="b").tags


@pytest.mark.parametrize("said", [{}, {"count": 1}, {"name": "x", "colour": "red"}])
def test_a_field_that_is_missing_or_unknown_is_an_error(said: dict[str, Any]) -> None:
    for cls in (Plain, Quick):
        with pytest.raises(TypeError):
            cls(**said)


def test_a_field_that_there_is_not_cannot_be_replaced() -> None:
    with pytest.raises(AttributeError, match="colour"):
        replace(Quick(name="x"), colour="red")  # type: ignore[call-arg]
