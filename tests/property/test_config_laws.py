"""The laws of configuration, over its rows as the stage keeps them."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from streams.config import commands as c
from streams.config.changes import ProjectChanged, RulesChanged
from streams.config.project import CredentialKind, Project, TakenName, TenantKind
from streams.config.rule import Condition, Operator, Rule, RuleKind, Rules
from streams.config.stage import ConfigStage
from streams.envelope import Envelope
from streams.stage import Handled
from streams.text import Sealed
from tests.property.instances import envelopes, uuid_of

R = TypeVar("R")
TENANT = uuid_of(1)
names = st.sampled_from(["One", "Two"])
keys = st.sampled_from(["OPS", "WEB"])
conditions = st.lists(
    st.builds(Condition, field=st.sampled_from(["env", "host"]), operator=st.sampled_from(list(Operator)), value=names),
    max_size=2,
).map(tuple)


class MemoryRows:
    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    def get(self, key: str, kind: type[R], /) -> R | None:
        state = self.rows.get(key)
        assert state is None or isinstance(state, kind)
        return state


class Tenancy:
    """A tenant's configuration. Ids in commands are drawn from those that its objects have by now."""

    def __init__(self) -> None:
        self.rows = MemoryRows()
        self.made: list[str] = []

    def tell(self, command: Any, by: Envelope) -> Handled:
        handled = ConfigStage().handle(TENANT, by, command, self.rows)
        for name, state in handled.rows.items():
            if state is None:
                self.rows.rows.pop(name, None)
            else:
                self.rows.rows[name] = state
        self.made += [event.aggregate_id for event in handled.events if event.version == 1]
        return handled

    def of(self, kind: type[R]) -> list[R]:
        return [state for state in self.rows.rows.values() if isinstance(state, kind)]


by_somebody = envelopes(tenant_id=TENANT, aggregate_id=TENANT)


@st.composite
def commands(draw: st.DrawFn, tenancy: Tenancy) -> Any:
    some = st.sampled_from([*tenancy.made, uuid_of(404)])
    rule = {"conditions": conditions, "group_by": st.sampled_from([(), ("env",)]), "name": names}
    return draw(
        st.one_of(
            st.builds(c.RegisterTenant, name=names.map(Sealed.plain), kind=st.sampled_from(list(TenantKind))),
            st.builds(c.CreateProject, key=keys, name=names.map(Sealed.plain)),
            st.builds(c.CreateProject, key=keys, name=names.map(Sealed.plain)),
            st.builds(c.UpdateProject, project_id=some, name=st.one_of(st.none(), names.map(Sealed.plain))),
            st.builds(c.DeleteProject, project_id=some),
            st.builds(c.CreateRule, project_id=some, kind=st.sampled_from(list(RuleKind)), **rule),
            st.builds(c.ReplaceRule, rule_id=some, **rule),
            st.builds(c.DeleteRule, rule_id=some),
            st.builds(c.BindRoutingKey, project_id=some, digest=names),
            st.builds(c.RevokeRoutingKey, routing_id=some),
            st.builds(
                c.IssueCredential,
                kind=st.sampled_from(list(CredentialKind)),
                digest=names,
                owner=names,
                name=names.map(Sealed.plain),
            ),
            st.builds(c.RevokeCredential, credential_id=some),
        )
    )


@st.composite
def tenancies(draw: st.DrawFn) -> Tenancy:
    tenancy = Tenancy()
    for _ in range(draw(st.integers(0, 12))):
        tenancy.tell(draw(commands(tenancy)), draw(by_somebody))
    return tenancy


@given(tenancy=tenancies(), by=by_somebody, data=st.data())
def test_what_is_accepted_is_one_event_one_version_later_with_the_whole_object(
    tenancy: Tenancy, by: Envelope, data: st.DataObject
) -> None:
    before = dict(tenancy.rows.rows)
    handled = tenancy.tell(data.draw(commands(tenancy)), by)
    if not handled.events:
        assert handled.rows == {}
        assert tenancy.rows.rows == before
        return
    (event,) = handled.events
    row = next(name for name, state in handled.rows.items() if state is event.after)
    held = before.get(row)
    assert event.version == event.after.version == (1 if held is None else held.version + 1)
    assert row.endswith(f"/{event.aggregate_id}")


@given(tenancy=tenancies(), by=by_somebody, data=st.data())
def test_what_is_already_done_leaves_nothing(tenancy: Tenancy, by: Envelope, data: st.DataObject) -> None:
    command = data.draw(commands(tenancy))
    tenancy.tell(command, by)
    after = dict(tenancy.rows.rows)
    again = tenancy.tell(command, by)
    assert not again.events
    assert not again.forwards
    assert again.answer is not None
    assert tenancy.rows.rows == after


@given(tenancy=tenancies())
def test_a_key_belongs_to_at_most_one_live_project(tenancy: Tenancy) -> None:
    live = [p for p in tenancy.of(Project) if p.deleted_at is None]
    assert len({p.key for p in live}) == len(live)
    assert {t.object_id for t in tenancy.of(TakenName)} == {p.project_id for p in live}


@given(tenancy=tenancies())
def test_the_rules_that_travel_are_the_live_ones_of_live_projects(tenancy: Tenancy) -> None:
    live = {p.project_id for p in tenancy.of(Project) if p.deleted_at is None}
    rules = {r.rule_id: r for r in tenancy.of(Rule) if r.deleted_at is None and r.project_id in live}
    travelling = {r.rule_id: r for together in tenancy.of(Rules) for r in together.rules}
    assert travelling == rules
    assert all(r.project_key == together.project_key for together in tenancy.of(Rules) for r in together.rules)


@given(said=st.data())
def test_the_last_change_that_stages_were_told_is_what_there_is(said: st.DataObject) -> None:
    """Whoever keeps the last of each kind and key has the configuration."""
    tenancy = Tenancy()
    told: dict[tuple[str, str], Any] = {}
    for _ in range(said.draw(st.integers(0, 12))):
        handled = tenancy.tell(said.draw(commands(tenancy)), said.draw(by_somebody))
        for forward in handled.forwards:
            match forward.body:
                case ProjectChanged(project=project):
                    told["project", project.key] = project
                case RulesChanged(rules=rules):
                    told["rules", rules.project_key] = rules
    for key in ("OPS", "WEB"):
        known: Project | None = told.get(("project", key))
        live = next((p for p in tenancy.of(Project) if p.key == key and p.deleted_at is None), None)
        assert (known if known is not None and known.deleted_at is None else None) == live
        kept = tenancy.rows.get(f"{TENANT}|rules/{key}", Rules)
        assert told.get(("rules", key)) == kept
