"""Cards at AutoDL, started, followed and stopped from home, over a stand-in of AutoDL's API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import autodl_server
import engine_servers
import pytest
import speech_server
from autodl_server import SECRETS, TOKEN, Account
from speech_server import Server

from dubbing import cli

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
CARD = "pro-76576c61fdf1"
CREATE, POWER_ON = "instance/pro/create", "instance/pro/power_on"
NEW = ("openai", "--gpu", "v-48g", "--image", "image-1", "--path", "/v1", "--wait", "20")


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[Account, Server, Server]]:
    """The account, and what two cards serve."""
    with (
        autodl_server.running() as account,
        speech_server.running() as one,
        speech_server.running() as two,
    ):
        yield account, one, two


class Home:
    """The command line of an installation whose account has one instance, which is off."""

    def __init__(
        self, services: tuple[Account, Server, Server], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.account, *servers = services
        self.urls = [server.url for server in servers]
        self.places = [url.removesuffix("/v1") for url in self.urls]
        self._capsys = capsys
        self.account.set(faults={}, seen=[], containers={}, lost_answers=0)
        self.card()

    def card(self, status: str = "shutdown", place: int = 0, **fields: Any) -> None:
        """Let the account have one instance."""
        card = {"name": "night", "status": status, "domain": self.places[place], **fields}
        self.account.set(instances={CARD: card})

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command of `cards` to its end, which is ``code``; return output and notes."""
        from autodl.commands import main

        return self._ended(lambda: main(list(arguments)), code)

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code)[0])

    def endpoints(self, *arguments: str, code: int = 0) -> str:
        """Run a command of `dubbing endpoints`."""
        return self._ended(lambda: cli.main(["endpoints", *arguments]), code)[0]

    def pool(self) -> dict[str, Any]:
        """Return the slots of each endpoint, or that it is drained."""
        pools = json.loads(self.endpoints("--json"))
        return {
            one["url"]: "drained" if one["draining"] else one["slots"]
            for one in pools.get("openai", {}).get("endpoints", [])
        }

    def _ended(self, run: Any, code: int) -> tuple[str, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        assert not [secret for secret in (*SECRETS, TOKEN) if secret in out + err]
        return out, err


@pytest.fixture
def home(
    services: tuple[Account, Server, Server],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Home:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path))
    monkeypatch.setenv("AUTODL_TOKEN", TOKEN)
    monkeypatch.setenv("AUTODL_API", services[0].url)
    monkeypatch.setattr("autodl.api.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("autodl.serving.LOOK_SECONDS", 0.01)
    return Home(services, capsys)


def test_a_card_that_is_off_is_started_and_added_once_it_answers(home: Home) -> None:
    home("up", "openai", CARD, "--slots", "3", "--path", "/v1")
    assert home.pool() == {home.urls[0]: 3}
    (asked,) = home.account.asked(POWER_ON)
    assert asked["token"] == TOKEN
    assert asked["content"] == {"instance_uuid": CARD, "payload": "gpu"}


def test_a_card_with_an_engine_server_is_added_by_its_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_KEY_AUTODL", "key-of-the-card")
    with engine_servers.running("tone", **{engine_servers.KEY: "key-of-the-card"}) as server:
        home.card(domain=server.url)
        home("up", "remote-tone", CARD, "--key-from", "DUBBING_KEY_AUTODL")
        home("down", CARD, "--grace", "0")
        home("up", "remote-tone", CARD)
        assert home.endpoints("check", "remote-tone") == f"remote-tone {server.url}: ok\n"


def test_a_card_that_runs_is_not_started_again(home: Home) -> None:
    home.card("running")
    home("up", "openai", CARD, "--path", "/v1")
    home("up", "openai", CARD, "--slots", "2")
    assert home.pool() == {home.urls[0]: 2}
    assert not home.account.asked(POWER_ON)


def test_a_card_is_created_when_one_is_free(home: Home) -> None:
    home.account.set(faults={CREATE: ["InternalError", "InternalError"]})
    out, err = home("up", *NEW, "--region", "westDC3")
    assert home.pool() == {home.urls[0]: 1}
    assert err.count("no free card") == 2
    assert out.startswith("created pro-")
    order = home.account.asked(CREATE)[-1]["content"]
    assert order.pop("instance_name").startswith("dubbing-")
    assert order == {
        "gpu_spec_uuid": "v-48g",
        "image_uuid": "image-1",
        "cuda_v_from": 128,
        "req_gpu_amount": 1,
        "expand_system_disk_by_gb": 0,
        "data_center_list": ["westDC3"],
    }


def test_a_card_that_a_failed_request_created_is_not_created_twice(home: Home) -> None:
    home.account.set(lost_answers=1)
    home("up", *NEW)
    assert len(home.account.asked(CREATE)) == 1
    assert len(home.json("status")) == 2


def test_no_free_card_is_said_after_the_last_try(home: Home) -> None:
    home.account.set(faults={POWER_ON: ["InternalError"] * 3})
    err = home("up", "openai", CARD, "--tries", "3", code=1)[1]
    assert "error: AutoDL has no free card, or failed: InternalError: 库存不足" in err
    assert f"cards down {CARD}" in err
    assert len(home.account.asked(POWER_ON)) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("TORealName", "holder is not verified"),
        ("BadRequest", "no right to this"),
        ("Unheard-of", "Unheard-of"),
    ],
)
def test_a_refusal_is_not_tried_again(home: Home, fault: str, words: str) -> None:
    home.account.set(faults={CREATE: [fault]})
    assert words in home("up", *NEW, code=2)[1]
    assert len(home.account.asked(CREATE)) == 1


def test_an_instance_that_the_account_does_not_have_is_named(home: Home) -> None:
    err = home("up", "openai", "pro-0", code=2)[1]
    assert "knows no such instance" in err
    assert "cost money" not in err
    assert "knows no such instance" in home("down", "pro-0", code=2)[1]


@pytest.mark.parametrize("token", ["", "another's"])
def test_a_token_that_is_missing_or_wrong_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("AUTODL_TOKEN", token)
    err = home("status", code=2)[1]
    assert ("AuthorizeFailed" if token else "AUTODL_TOKEN: set it") in err


def test_a_card_without_its_key_at_home_is_not_started(home: Home) -> None:
    for card in ([CARD], NEW[1:]):
        err = home("up", "openai", *card, "--key-from", "DUBBING_KEY_AUTODL", code=2)[1]
        assert "DUBBING_KEY_AUTODL: it is empty" in err
    assert not home.account.asked(POWER_ON)
    assert not home.account.asked(CREATE)


def test_a_card_that_does_not_answer_in_time_is_told_to_be_on(home: Home) -> None:
    home.card(domain="http://127.0.0.1:9")
    err = home("up", "openai", CARD, "--wait", "0.1", code=1)[1]
    assert "no server answers there" in err
    assert f"cards down {CARD}" in err
    assert home.pool() == {}


def test_a_card_with_another_model_is_not_added(
    home: Home, services: tuple[Account, Server, Server]
) -> None:
    home.endpoints("add", "openai", home.urls[1], "--model", "hum-1")
    services[1].set(model="hum-2")
    try:
        assert "hum-2" in home("up", "openai", CARD, "--path", "/v1", "--wait", "0.1", code=1)[1]
    finally:
        services[1].reset()
    assert home.pool() == {home.urls[1]: 1}


def test_a_card_that_stops_is_drained_first_and_comes_back_as_it_was(home: Home) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    price = ("--price", "2.5 CNY/h")
    home.endpoints("add", "openai", home.urls[0], "--slots", "5", "--voice", "mine", *price)
    home.endpoints("cap", "openai", "200 CNY")
    home("down", CARD, "--grace", "0")
    assert home.pool() == {}
    assert home.json("status")[0]["status"] == "shutdown"
    home("up", "openai", CARD)
    assert home.pool() == {home.urls[0]: 5}
    pool = json.loads(home.endpoints("--json"))["openai"]
    assert "mine" in pool["voices"]
    assert pool["cap"]["amount"] == 200
    # What it costs now.
    assert pool["endpoints"][0]["price"] == {"amount": 1.97, "currency": "CNY", "per": "h"}


def test_lines_are_sent_no_more_before_the_card_is_switched_off(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    seen = []

    def look(seconds: float) -> None:
        if seconds == 7.0:
            seen.append((home.pool(), home.account.asked("instance/pro/power_off")))

    monkeypatch.setattr("time.sleep", look)
    home("down", CARD, "--grace", "7")
    assert seen == [({home.urls[0]: "drained"}, [])]


def test_the_day_of_its_release_is_told_of_a_card_that_is_off(home: Home) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    assert "released with its data disk on 2026-12-05" in home("down", CARD, "--grace", "0")[1]
    assert "released with its data disk on 2026-12-05" in home("status")[1]


def test_status_replaces_the_address_of_a_card_that_has_moved(home: Home) -> None:
    home("up", "openai", CARD, "--slots", "4", "--path", "/v1")
    home.card("running", place=1)
    (card,) = home.json("status")
    assert (card["url"], card["note"]) == (home.urls[1], f"in place of {home.urls[0]}")
    assert home.pool() == {home.urls[1]: 4}
    (card,) = home.json("status")
    assert (card["note"], card["fault"], card["price"]) == ("", "", "1.970 CNY/h")
    home.endpoints("remove", "openai", home.urls[1])
    assert home.json("status")[0]["note"] == "no endpoint of openai: `up` adds it"


def test_status_tells_of_a_card_whose_server_fails(
    home: Home, services: tuple[Account, Server, Server]
) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    services[1].set(model="hum-2")
    try:
        assert "hum-2" in home.json("status", code=1)[0]["fault"]
    finally:
        services[1].reset()


def test_status_keeps_an_endpoint_whose_new_address_does_not_answer(home: Home) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    home.card("running", domain="http://127.0.0.1:9")
    (card,) = home.json("status", code=1)
    assert "no server answers" in card["fault"]
    assert list(home.pool()) == [home.urls[0]]


def test_status_shows_cards_that_are_not_ours_and_touches_none(home: Home) -> None:
    home.card("running")
    (card,) = home.json("status")
    assert (card["engine"], card["url"], card["note"]) == ("", home.places[0], "")
    assert home.pool() == {}


def test_status_names_cards_that_the_account_has_no_more(home: Home) -> None:
    home("up", "openai", CARD, "--path", "/v1")
    home.account.set(instances={})
    (card,) = home.json("status")
    assert card["status"] == "not in this account"
    assert f"dubbing endpoints remove openai {home.urls[0]}" in card["note"]
    home.endpoints("remove", "openai", home.urls[0])
    assert home.json("status") == []


def test_status_lists_all_pages(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodl.api.PAGE", 2)
    off = {"name": "", "status": "shutdown", "domain": ""}
    home.account.set(instances={f"pro-{n}": off for n in range(5)})
    assert [one["uuid"] for one in home.json("status")] == [f"pro-{n}" for n in range(5)]


def test_a_deployment_grows_shrinks_and_loses_containers(home: Home) -> None:
    home.account.set(instances={"spare": {"domains": list(home.places)}})
    scale = ("scale", "openai", "deployment-1")
    home(*scale, "2", "--path", "/v1")
    assert home.pool() == dict.fromkeys(home.urls, 1)
    home(*scale, "1", "--grace", "0")
    assert home.pool() == {home.urls[0]: 1}
    home.account.set(containers={"container-9": home.places[1]})
    home(*scale, "1", "--path", "/v1")
    assert home.pool() == {home.urls[1]: 1}
    home(*scale, "0", "--grace", "0")
    assert home.pool() == {}


def test_an_address_without_a_scheme_is_one_of_tls(home: Home) -> None:
    from autodl.book import Card

    place = "u1-h1.westb.seetacloud.com:8443"
    assert Card(engine="indextts").address(place) == f"https://{place}"
    assert Card(engine="openai", path="/v1").address(place) == f"https://{place}/v1"


def test_the_script_itself_shows_no_secret(home: Home) -> None:
    home.card("running")
    done = subprocess.run(
        [sys.executable, SCRIPTS / "autodl" / "cards", "status"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{CARD}\trunning\t-\t{home.places[0]}\t1.970 CNY/h\t-" in done.stdout
    assert not [secret for secret in (*SECRETS, TOKEN) if secret in done.stdout + done.stderr]
