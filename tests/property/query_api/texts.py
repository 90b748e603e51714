"""Query texts: from plausible to absurd."""

from __future__ import annotations

from hypothesis import strategies as st

from query_api.search.fields import FIELDS

NAMES = st.sampled_from([*FIELDS, "team", "@team", "attributes.a.b", "tenant_id", "_id", "é", "x-y", "Status"])
VALUES = st.one_of(
    st.sampled_from(
        [
            *("open", "P1", "none", "me", "true", "*", "dis*", "d?sk", "now", "now-1d/d", "2026-01-01", "2026"),
            *("1", "-5", "OPS-1", '"disk full"', '""', '"\\""', "[1 TO 2]", "{* TO now}", ">2026-01-01", "<=3", "&"),
            *("(a b)", "(P1 OR P2)", "a\\:b", "0001", "9999-12-31", "99999999999999", "foo-b*", "💥", "ß", "\\*"),
            *("c:d", "/x/", "a~2", "b^3", "STANDARD", "*_*", "a'b", "a\\\\*", "K", "ﬁ"),
        ]
    ),
    st.text(min_size=1, max_size=12),
)
TERMS = st.one_of(VALUES, st.builds("{}:{}".format, NAMES, VALUES))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a query: terms put together by what joins them, now and then any text at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.text(max_size=60))
    parts = draw(st.lists(TERMS, max_size=6))
    words = [draw(st.sampled_from(["", "-", "NOT ", "+", "(", "!"])) + part for part in parts]
    joined = "".join(w + draw(st.sampled_from([" ", " AND ", " OR ", ") ", " && ", ""])) for w in words)
    return joined + ")" * draw(st.integers(0, 2))
