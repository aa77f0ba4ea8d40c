"""The URL of Redis: its forms, and what is read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubbing import redis_url
from dubbing.ledger.connect import connect, sentinel_options
from dubbing.queue.publisher import celery_settings
from dubbing.redis_url import Sentinels

WATCHED = "sentinel://anna:a%40b@one:1,[::1]:2,three/dubs/4?sentinel_password=s%26s&health=1"


def test_a_url_of_sentinels_is_taken_apart() -> None:
    assert Sentinels.of("redis://one:6379/0") is None
    found = Sentinels.of(WATCHED)
    assert found == Sentinels(
        places=("one:1", "[::1]:2", "three"),
        master="dubs",
        credentials={"password": "s&s"},
        server="redis://anna:a%40b@one:1/4?health=1",
    )
    assert found.addresses == [("one", 1), ("::1", 2), ("three", 26379)]


def test_the_master_gets_its_user_and_the_sentinels_theirs() -> None:
    url = "sentinels://anna:a%40b@one:1,two:2/dubs/4?sentinel_password=own&ssl_cert_reqs=required"
    options = connect(url).connection_pool.connection_kwargs
    assert (options["username"], options["password"], options["db"]) == ("anna", "a@b", 4)
    found = Sentinels.of(url)
    assert found
    own = sentinel_options(found)
    assert (own["password"], own["ssl"], "username" in own) == ("own", True, False)
    settings = celery_settings(url)
    urls = ["sentinel://anna:a%40b@one:1/4", "sentinel://anna:a%40b@two:2/4"]
    assert settings["broker_url"] == ";".join(urls)
    assert settings["broker_use_ssl"]["ssl_cert_reqs"] == "required"
    assert settings["broker_transport_options"]["master_name"] == "dubs"


@pytest.mark.parametrize(
    "url",
    ["redis://one", "unix:///a/b", "sentinel://one/dubs", "sentinels://:p@one:1,two/dubs/0"],
)
def test_a_url_of_one_of_the_forms_is_taken(url: str) -> None:
    redis_url.check(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://one", "begin it with"),
        ("redis://one:0", "redis://user:password@host:6379/0"),
        ("redis://one/name", "redis://user:password@host:6379/0"),
        ("sentinel://one:26379", "host:26379/master/0"),
        ("sentinel://one,,two/dubs", "host:26379/master/0"),
        ("sentinel://one:x/dubs", "host:26379/master/0"),
        ("sentinel://one/dubs/x", "host:26379/master/0"),
    ],
)
def test_another_url_is_refused_with_the_form_that_it_should_have(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        redis_url.check(url)


def test_passwords_are_told_to_nobody() -> None:
    assert redis_url.secrets(WATCHED) == ["a%40b", "s&s"]
    assert redis_url.redact(WATCHED) == "sentinel://one:1,[::1]:2,three/dubs/4"


def test_tls_trusts_ones_own_authorities_too() -> None:
    for url in ("sentinels://one/dubs/0", "rediss://one"):
        assert redis_url.with_trust(url, Path("/ca.pem")) == (
            f"{url}?ssl_cert_reqs=required&ssl_ca_certs=%2Fca.pem"
        )
    assert redis_url.with_trust("sentinel://one/dubs/0", Path("/ca.pem")) == "sentinel://one/dubs/0"
