"""Profiles of the fit, by name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dubbing.job import Fit, Job
from dubbing.job.fit import FITS


@pytest.mark.parametrize("profile", FITS)
def test_a_profile_is_the_values_that_it_sets(profile: str) -> None:
    fit = Fit.model_validate({"profile": profile})
    assert fit == Fit.model_validate(FITS[profile])
    assert Fit.model_validate_json(fit.model_dump_json()) == fit


def test_a_line_starts_on_its_cue_unless_the_job_says_otherwise() -> None:
    assert Fit() == Fit(profile="exact") != Fit(profile="lipsync")
    assert [Fit.model_validate({"profile": name}).max_early for name in FITS] == [0, 0, 0.16]


def test_a_value_that_is_given_wins_over_the_profile() -> None:
    fit = Fit(profile="lipsync", max_rate=1.25)
    assert (fit.max_tail, fit.max_rate) == (0.2, 1.25)
    asked = [
        Job(id="j", language="de", fit=fit),
        Job(id="j", language="de", fit=Fit(profile="lipsync")),
    ]
    assert asked[0].digest() != asked[1].digest(), "also a value that is the default of all"


@pytest.mark.parametrize("profile", ["lip-sync", ["exact"], 3])
def test_an_unknown_profile_is_refused_with_the_known_ones(profile: object) -> None:
    with pytest.raises(ValidationError, match="'exact', 'lipsync' or 'relaxed'"):
        Fit.model_validate({"profile": profile})


def test_no_pause_is_made_shorter_than_two_frames() -> None:
    with pytest.raises(ValidationError, match=r"0\.08"):
        Fit(min_pause=0.07)
