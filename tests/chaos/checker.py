"""The invariants of the contract, asked of a stack that is quiet: each with what was checked and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.accepted import Accepted
from tests.chaos.story import Place, Story, table, told
from tests.chaos.views import Postgres, Snapshot, elasticsearch, postgres

NOT_BUILT: Final = {"I6": "effects and their ledger", "I8": "the audit chain"}
ELSEWHERE: Final = {"I4": "two full rebuilds are byte-identical"}
SHOWN: Final = 5
ASKED: Final = 60


@dataclass(slots=True)
class Verdict:
    """One invariant. checked: how many things. wrong: what violates it, for people."""

    name: str
    about: str
    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def hold(self, count: int, violations: Iterable[str]) -> None:
        """Add so many things that were looked at, and what of them is wrong."""
        self.checked += count
        self.wrong += violations

    def to_json(self) -> dict[str, Any]:
        return {
            "invariant": self.name,
            "about": self.about,
            "checked": self.checked,
            "violations": len(self.wrong),
            "examples": self.wrong[:SHOWN],
        }


def check(stack: dict[str, Any], accepted: Accepted, snapshots: Sequence[Snapshot]) -> list[Verdict]:
    """Return a verdict on every invariant that there is something to ask about today."""
    story, rows = told(stack["kafka"]), postgres(stack["postgres"])
    return [
        outcomes(story, rows, accepted),
        versions(story, rows),
        equal(stack, story, rows),
        tenants(stack, rows),
        positions(story, snapshots),
        receipts(story, rows, accepted),
    ]


def outcomes(story: Story, rows: Postgres, accepted: Accepted) -> Verdict:
    verdict = Verdict("I1", "accepted commands that came to exactly one outcome, the one that was answered")
    commands = accepted.commands
    for command_id, answered in commands.items():
        said = story.outcomes.get(command_id, {})
        kept = rows.outcomes.get(command_id)
        if len(said) != 1:
            verdict.wrong.append(f"{command_id} ({answered}) has {len(said)} outcomes in the log")
        elif kept not in said.values():
            verdict.wrong.append(f"{command_id}: the log says {said}, Postgres {kept}")
        elif kept != answered.verdict and (kept, answered.verdict) != ("unchanged", "accepted"):
            verdict.wrong.append(f"{command_id}: {answered} was answered, {kept} is kept")
    verdict.checked = len(commands)
    doubled = [
        f"comment {text!r} stands there {rows.comments.get(text, 0)} times"
        for text in accepted.comments.values()
        if rows.comments.get(text, 0) != 1
    ]
    verdict.hold(len(accepted.comments), doubled)
    # Also those of senders that gave up: what is in the log of commands is answered.
    verdict.hold(
        len(story.outcomes),
        (f"{command} has outcomes {said}" for command, said in story.outcomes.items() if len(said) != 1),
    )
    return verdict


def versions(story: Story, rows: Postgres) -> Verdict:
    verdict = Verdict(
        "I2", "cases whose versions are 1..n in the log and in their activity; projects with numbers 1..n"
    )
    for where, versions in (("the log", story.versions), ("activity", rows.versions)):
        verdict.hold(len(versions), (f"{where}: case {p} has {v}" for p, v in versions.items() if not _unbroken(v)))
    verdict.hold(len(rows.numbers), (f"project {p} has {n[-20:]}" for p, n in rows.numbers.items() if not _unbroken(n)))
    lengths = {p: v[-1] for p, v in rows.versions.items() if v}
    ends = {p: version for p, (version, _) in story.states.items()}
    verdict.wrong += _differ("activity ends at another version", ends, lengths)
    return verdict


def _unbroken(numbers: Sequence[int]) -> bool:
    return list(numbers) == list(range(1, len(numbers) + 1))


def equal(stack: dict[str, Any], story: Story, rows: Postgres) -> Verdict:
    verdict = Verdict(
        "I3", "cases that are their fold in Postgres, Elasticsearch and the table, by version and state hash"
    )
    verdict.wrong += story.wrong
    for where, found in (
        ("Postgres", rows.cases),
        ("Elasticsearch", elasticsearch(stack["elasticsearch"])),
        ("the table", table(stack["kafka"])),
    ):
        verdict.hold(len(story.states), _differ(where, story.states, found))
    return verdict


def tenants(stack: dict[str, Any], rows: Postgres) -> Verdict:
    verdict = Verdict("I5", "ids of one tenant that another one asked for, and did not find")
    tenants = stack["tenants"]
    own = {tenant["tenant_id"]: {case for t, case in rows.cases if t == tenant["tenant_id"]} for tenant in tenants}
    strangers = set(rows.cases) - {(tenant, case) for tenant, cases in own.items() for case in cases}
    verdict.hold(len(rows.cases), (f"case {place} is of no tenant of ours" for place in strangers))
    with httpx.Client(base_url=stack["http"], timeout=30, trust_env=False) as client:
        for tenant in tenants:
            keys = {"DD-API-KEY": tenant["api_key"], "DD-APPLICATION-KEY": tenant["application_key"]}
            for other in tenants:
                if other is tenant:
                    continue
                for case in sorted(own[other["tenant_id"]])[:ASKED]:
                    answer = client.get(f"/api/v2/cases/{case}", headers=keys)
                    verdict.hold(1, () if answer.status_code == 404 else [f"{case}: {answer.status_code}"])
            page = client.get("/api/v2/cases", params={"page[size]": 100}, headers=keys)
            listed = {case["id"] for case in page.json()["data"]}
            verdict.hold(len(listed), (f"{case} is listed for another" for case in listed - own[tenant["tenant_id"]]))
    return verdict


def positions(story: Story, snapshots: Sequence[Snapshot]) -> Verdict:
    verdict = Verdict("I7", "records that a view had passed at some moment, and had applied by then")
    for shot in snapshots:
        passed: dict[Place, int] = {}
        count = 0
        for partition, offset, place, version in story.at:
            if offset < shot.positions.get(partition, 0):
                count += 1
                passed[place] = max(passed.get(place, 0), version)
        verdict.hold(
            count,
            (
                f"{shot.view} had passed version {version} of {place} and showed {shot.versions.get(place, 0)}"
                for place, version in passed.items()
                if shot.versions.get(place, 0) < version
            ),
        )
    return verdict


def receipts(story: Story, rows: Postgres, accepted: Accepted) -> Verdict:
    verdict = Verdict("I9", "accepted signals that have exactly one receipt, the first that was written")
    for signal_id in accepted.signals:
        said, kept = story.receipts.get(signal_id, []), rows.receipts.get(signal_id)
        if not said:
            verdict.wrong.append(f"signal {signal_id} has no receipt")
        elif len(set(said)) > 1:
            verdict.wrong.append(f"signal {signal_id} has the receipts {said}")
        elif kept != said[0]:
            verdict.wrong.append(f"signal {signal_id}: the log says {said}, Postgres {kept}")
    verdict.checked = len(accepted.signals)
    return verdict


def _differ(where: str, expected: dict[Place, Any], found: dict[Place, Any]) -> list[str]:
    return [
        f"{where}: {json.dumps([place, expected.get(place), found.get(place)])}"
        for place in {*expected, *found}
        if expected.get(place) != found.get(place)
    ]
