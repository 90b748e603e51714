"""A record of an events topic, as every projection takes it: decoded, and what it says of itself is one thing."""

from __future__ import annotations

from infra.runtime.errors import PoisonMessage
from schemas import codec
from schemas.codec import Decoded
from sinks.base import Raw
from streams.alerts.alert import Alert
from streams.cases.case import Case


def event(raw: Raw) -> Decoded:
    """Return the record. Raises PoisonMessage, `schemas.codec.Undecodable`, and `schemas.codec.UnknownSchema` where only
    the schema id is foreign.
    """
    decoded = codec.decode(raw.value)
    wrong = fault(raw.key, decoded)
    if wrong is not None:
        raise PoisonMessage(wrong)
    return decoded


def fault(key: bytes | None, decoded: Decoded) -> str | None:
    """Return why no view may take this record, None if each may: its key, its envelope and the state after it are of one
    tenant, one aggregate and one version.

    The partition does not count: views go by key and version, so a record that stands elsewhere is the same record.
    """
    envelope, after = decoded.envelope, decoded.after
    tenant_id, aggregate_id = envelope.tenant_id, envelope.aggregate_id
    told = (key or b"").decode(errors="replace")
    # Configuration has its tenant as key, whatever object it is about.
    by_tenant = not isinstance(after, Case | Alert) and told == tenant_id
    if not tenant_id or not (by_tenant or told == f"{tenant_id}/{aggregate_id}"):
        return f"the key is not that of {aggregate_id!r} of tenant {tenant_id!r}"
    if after is None:
        return None
    match after:
        case Case(case_id=own) | Alert(alert_id=own) if own != aggregate_id:
            return f"the event is of {aggregate_id!r} and the state after it of {own!r}"
        case _ if after.version != envelope.version:
            return f"the event has version {envelope.version} and the state after it {after.version}"
        case _:
            return None
