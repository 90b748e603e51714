"""The cases that people open in the demonstration, and what they do with them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Status: TypeAlias = Literal["OPEN", "IN_PROGRESS", "CLOSED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """due: days from now. comments: in order. status: what it is brought to after them."""

    slug: str
    title: str
    description: str
    priority: str
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    comments: tuple[str, ...] = ()
    status: Status = "OPEN"
    due: int | None = None


ONCALL: Final = (
    Ticket(
        slug="checkout-review",
        title="Write the review of the checkout incident",
        description="What happened, how it was seen, what will keep it from happening again. Draft within two days.",
        priority="P3",
        attributes={"team": ["shop"], "kind": ["postmortem"]},
        due=2,
    ),
)

CASE_MANAGEMENT: Final = (
    Ticket(
        slug="double-charge",
        title="Customer was charged twice for order 48-1182",
        description="Card ending in 4410, both charges at 14:02. The shop shows one order, the bank two bookings.",
        priority="P2",
        attributes={"team": ["billing"], "channel": ["mail"], "plan": ["business"]},
        comments=(
            "Payment provider confirms: the second charge is a retry after a timeout. It has no order.",
            "Refund is requested, reference RF-20931. The customer is told to expect it within three days.",
        ),
        status="IN_PROGRESS",
        due=3,
    ),
    Ticket(
        slug="export-empty",
        title="CSV export of reports is empty for projects with a comma in their name",
        description='Seen with "Sales, North". The header is there, rows are not. The API gives all rows.',
        priority="P3",
        attributes={"team": ["reports"], "channel": ["chat"], "plan": ["team"]},
        comments=("Can be repeated. The name is not quoted where the filter is built.",),
        status="IN_PROGRESS",
    ),
    Ticket(
        slug="sso-setup",
        title="Single sign-on: users of a second domain cannot sign in 🔐",
        description="globex.example works, globex-labs.example answers `domain not allowed`.",
        priority="P1",
        attributes={"team": ["identity"], "channel": ["phone"], "plan": ["enterprise"]},
        comments=(
            "The second domain was never verified: its TXT record is missing.",
            "Record is set and verified; the customer confirms that all can sign in.",
        ),
        status="CLOSED",
    ),
    Ticket(
        slug="dark-mode",
        title="Wish: dark colours for the wall screens in the control room",
        description="The screens run at night. White pages blind the shift.",
        priority="P5",
        attributes={"team": ["web"], "channel": ["mail"], "plan": ["team"], "kind": ["wish"]},
    ),
    Ticket(
        slug="data-request",
        title="Data export for a customer who leaves at the end of the month",
        description="All invoices and contracts of account 7731 as PDF, one archive. Must go out before the account ends.",
        priority="P4",
        attributes={"team": ["billing"], "channel": ["mail"], "kind": ["request"]},
        due=10,
    ),
)
