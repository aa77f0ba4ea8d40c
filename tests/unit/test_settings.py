"""Wrong settings: each is named by its variable, in words, with what to do."""

from __future__ import annotations

import pytest

from dubbing.cli.doctor import _misspelled
from dubbing.errors import BadInput
from dubbing.settings import Settings

WRONG = {
    "SLOTS": ("two", "DUBBING_SLOTS is 'two': it should be a whole number"),
    "PROVE_WORDS": ("maybe", "DUBBING_PROVE_WORDS is 'maybe': it should be true or false"),
    "REDIS_URL": ("localhost", "DUBBING_REDIS_URL: begin it with redis://"),
    "ENDPOINTS": ('{"openai": "http://gpu"}', "DUBBING_ENDPOINTS.openai is 'http://gpu': it shoul"),
    "QUOTAS": (
        '{"a": {"open_job": 1}}',
        "DUBBING_QUOTAS.a.open_job is not known; did you mean 'op",
    ),
    "GRANTED_TARGETS": ("s3://films", "DUBBING_GRANTED_TARGETS is not JSON: write it as"),
    "REQUESTS_PER_MINUTE_OF_PATHS": ('{"api": 1}', ".api is 'api': it should match pattern"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_named_by_its_variable_with_what_it_should_be(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, words = WRONG[name]
    monkeypatch.setenv(f"DUBBING_{name}", value)
    with pytest.raises(BadInput) as caught:
        Settings()
    assert words in str(caught.value)
    assert str(caught.value).startswith("the environment or .env: ")


def test_the_doctor_names_variables_that_are_almost_those_of_settings() -> None:
    known = ["DUBBING_REDIS_URL", "DUBBING_REDIS_PASSWORD_FILE", "DUBBING_KEY_MODEL"]
    [finding] = _misspelled([*known, "DUBBING_JOB", "PATH", "DUBBING_REDISURL"])
    assert finding.what == "setting DUBBING_REDISURL"
    assert "did you mean DUBBING_REDIS_URL?" in finding.message
