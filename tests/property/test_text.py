"""Text is cleaned once and for all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.text import Sealed, sanitize, shorten

# Surrogates too, which JSON may hold, and every character that does something rather than being read.
NASTY = "\x00\x07\x1b\x7f\x85\u200b\u200d\u202e\u2028\u2066\ufeff\ud800\udfff\U000e0041\U000e007f\U0001f3f4\r\n\t 🏴é"
texts = st.one_of(
    st.text(st.characters(categories=("L", "N", "P", "S", "Z", "C", "M")), max_size=40),
    st.text(st.sampled_from(NASTY), max_size=20),
)


@given(text=texts, multiline=st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, *, multiline: bool) -> None:
    once = sanitize(text, multiline=multiline)
    assert sanitize(once, multiline=multiline) == once


@given(text=texts)
def test_clean_text_holds_nothing_that_hides_turns_or_breaks(text: str) -> None:
    clean = sanitize(text, multiline=False)
    assert not set(clean) & set("\x00\x07\x1b\x7f\x85\u200b\u202e\u2028\u2066\ufeff\ud800\udfff\r\n\t")
    assert clean == clean.strip()
    assert clean.encode().decode() == clean


@given(text=st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "So", "Sm", "Mn")), max_size=40))
def test_letters_digits_marks_and_emoji_of_all_scripts_stay(text: str) -> None:
    assert sanitize(text, multiline=True) == text


@given(text=texts, limit=st.integers(1, 30))
def test_shortened_text_fits_and_text_that_fits_stays(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert (short == text) is (len(text) <= limit)
    assert shorten(short, limit) == short


@given(content=st.binary(max_size=40), text=texts)
def test_sealed_text_can_always_be_read_and_made(content: bytes, text: str) -> None:
    assert isinstance(Sealed(content).text, str)
    assert Sealed(content, key_id="k").text == "[sealed]"
    made = Sealed.plain(text)
    assert made.text == text.encode(errors="replace").decode()
