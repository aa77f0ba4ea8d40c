"""How numbers that were heard are read: as they were asked for."""

from __future__ import annotations

import pytest

from dubbing.proof.numbers import as_asked
from dubbing.proof.rivals import letters
from dubbing.text.wording import spoken


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Meet me at 3:45.", "Meet me at 345."),
        ("It left at 10:05 p.m. sharp.", "It left at 10.05pm sharp."),
        ("Call 555-123-4567.", "Call 5-55-123-4567."),
        ("It has 1,234,567 people.", "It has 1,234,500,67 people."),
        ("The rent is $1,250.50.", "The rent is $1,250 and $0.50."),
        ("The rent is $1,250.50.", "The rent is $1,250 and $50 cents."),
        ("King Henry VIII left.", "King Henry the 8th left."),
        ("Room 2 and room 11.", "Room two and room 11."),
    ],
)
def test_figures_count_as_the_number_that_was_asked_for(written: str, heard: str) -> None:
    asked = spoken(written, "en")
    assert letters(as_asked(heard, letters(asked), "en")) == letters(asked)


@pytest.mark.parametrize("heard", ["Meet me at 346.", "Meet me at 3.45 or 4.", "Meet me at 45."])
def test_other_figures_stay_another_number(heard: str) -> None:
    asked = letters(spoken("Meet me at 3:45.", "en"))
    assert letters(as_asked(heard, asked, "en")) != asked
