"""Jobs over HTTP: a real gateway, real workers, and what callers send."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, ClassVar

import gateways
import httpx2
import pytest
from gateways import Gateway
from services import PLUGINS
from system import System, script

from dubbing.gateway.follow import Following
from dubbing.jobs.usage import bytes_kept, seconds_used
from dubbing.keyring import Keyring, Scope

ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000", "DUBBING_REQUESTS_PER_MINUTE": "10000"}
"""Limits that no test reaches."""
QUOTAS = """{"small": {"lines_a_day": 3}, "again": {"lines_a_day": 10},
    "default": {"lines_a_day": 10000},
    "quick": {"engine_seconds_a_month": 0.5}, "full": {"storage_gb": 0}}"""
"""Only the tenants of the tests of quotas reach theirs."""
_numbers = itertools.count()


class Served(System):
    """A worker of the faulty engine, which speaks as fast and as badly as lines ask."""

    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with Served(tmp_path_factory.mktemp("served"), slots=1) as system:
            system.ready()
            yield system


@pytest.fixture(scope="module")
def gateway(system: Served) -> Iterator[Gateway]:
    variables = {**ANY, "DUBBING_QUOTAS": QUOTAS, "PYTHONPATH": str(PLUGINS)}
    with gateways.running(system.settings, **variables) as gateway:
        yield gateway


def manifest(*texts: str, **fields: Any) -> dict[str, Any]:
    """The fields of a job that no other test has."""
    number = next(_numbers)
    words = texts or ("One line.", "Another line.")
    segments = [
        {"start": 5.0 * n, "end": 5.0 * n + 4.5, "text": f"{text} {number}"}
        for n, text in enumerate(words)
    ]
    return {"id": f"job-{number}", "language": "qaa", "segments": segments, **fields}


def submitted(gateway: Gateway, **fields: Any) -> dict[str, Any]:
    """Submit a job, and return it when it has ended."""
    asked = manifest(**fields)
    assert gateway.http.post("/v1/jobs", json=asked).status_code == 201
    found: dict[str, Any] = gateway.http.get(f"/v1/jobs/{asked['id']}?wait=60").json()
    assert found["state"] == "completed", found
    return found


def test_a_job_is_created_once_and_its_id_is_no_other_jobs(gateway: Gateway) -> None:
    asked = manifest(metadata={"order": "4711"})
    made = gateway.http.post("/v1/jobs", json=asked)
    assert (made.status_code, made.json()["metadata"]) == (201, {"order": "4711"})
    assert made.headers["Location"].endswith(f"/v1/jobs/{asked['id']}")
    again = gateway.http.post("/v1/jobs", json=asked)
    assert (again.status_code, again.json()["id"]) == (200, asked["id"])
    other = gateway.http.post("/v1/jobs", json={**asked, "seed": 7})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert asked["id"] in other.json()["message"]
    assert f"PUT /v1/jobs/{asked['id']}" in other.json()["message"]


def test_an_idempotency_key_stands_for_an_id(gateway: Gateway) -> None:
    asked = {name: value for name, value in manifest().items() if name != "id"}
    key = {"Idempotency-Key": "request-1"}
    first, second = (gateway.http.post("/v1/jobs", json=asked, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = gateway.http.post("/v1/jobs", json={**asked, "seed": 7}, headers=key)
    assert other.status_code == 409
    assert "send another Idempotency-Key" in other.json()["message"]
    assert gateway.http.post("/v1/jobs", json=manifest() | {"id": None}, headers=key).status_code


def test_a_caller_waits_for_the_end_and_is_told_when_nothing_has_changed(gateway: Gateway) -> None:
    job = submitted(gateway)
    assert job["lines"] == {"total": 2, "done": 2, "failed": 0}
    path = f"/v1/jobs/{job['id']}"
    tag = gateway.http.get(path).headers["ETag"]
    same = gateway.http.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")


def test_outputs_are_fetched_whole_and_in_ranges_beside_the_report(gateway: Gateway) -> None:
    path = f"/v1/jobs/{submitted(gateway, metadata={'order': '4711'})['id']}"
    report = gateway.http.get(f"{path}/report").json()
    assert report["metadata"] == {"order": "4711"}
    assert [line["error"] for line in report["lines"]] == [None, None]
    (sound,) = [
        output
        for output in gateway.http.get(f"{path}/outputs").json()["outputs"]
        if output["name"].endswith(".flac")
    ]
    url = f"{path}/outputs/{sound['name']}"
    whole = gateway.http.get(url).content
    assert len(whole) == sound["bytes"]
    part = gateway.http.get(url, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, whole[4:10])
    assert gateway.http.get(f"{path}/outputs/..%2Fjob.json").status_code == 404


def test_the_id_of_a_request_is_in_the_logs_and_the_report_of_what_it_asked_for(
    system: Served, gateway: Gateway
) -> None:
    asked, line = manifest(), "[job={} round=1 batch={} request=trace-4711 tenant=default worker="
    headers = {"X-Request-Id": "trace-4711"}
    assert gateway.http.post("/v1/jobs", json=asked, headers=headers).status_code == 201
    path = f"/v1/jobs/{asked['id']}"
    assert gateway.http.get(f"{path}?wait=60").json()["state"] == "completed"
    assert gateway.http.get(f"{path}/report").json()["request_id"] == "trace-4711"
    assert "POST /v1/jobs: 201 in" in gateway.log.read_text()
    (told,) = [one for one in gateway.log.read_text().splitlines() if "trace-4711" in one]
    assert told.endswith("[request=trace-4711 tenant=default]")
    for worker, batch in (("faulty", "0"), ("assembly", "assembly")):
        named = line.format(asked["id"], batch)
        system.until(lambda worker=worker, named=named: named in system.log(worker), "told")
        lines = [one for one in system.log(worker).splitlines() if f"job={asked['id']} " in one]
        assert all(named in one for one in lines)


def test_a_job_is_revised_retried_and_cancelled(gateway: Gateway) -> None:
    asked = manifest("<slow:3> A slow line.", "A line.")
    path = f"/v1/jobs/{asked['id']}"
    gateway.http.post("/v1/jobs", json=asked)
    assert gateway.http.put(path, json=asked | {"seed": 1}).status_code == 409
    assert gateway.http.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert gateway.http.post(f"{path}/retry").status_code == 200
    assert gateway.http.get(f"{path}?wait=60").json()["state"] == "completed"
    assert gateway.http.post(f"{path}/retry").status_code == 409
    asked["segments"][1]["text"] = "Another line, as it was meant."
    revised = gateway.http.put(path, json=asked)
    assert (revised.status_code, revised.json()["round"]) == (200, 3)
    assert gateway.http.get(f"{path}?wait=60").json()["lines"]["done"] == 2


def test_jobs_are_listed_by_what_is_asked_page_by_page(gateway: Gateway) -> None:
    note = {"batch": "listed"}
    ids = [submitted(gateway, metadata=note, collection="season")["id"] for _ in range(3)]
    asked = {"metadata": "batch:listed", "limit": 2, "state": "completed", "collection": "season"}
    first = gateway.http.get("/v1/jobs", params=asked).json()
    assert [job["id"] for job in first["jobs"]] == [ids[2], ids[1]]
    last = gateway.http.get("/v1/jobs", params={**asked, "cursor": first["next"]}).json()
    assert ([job["id"] for job in last["jobs"]], last["next"]) == ([ids[0]], None)
    assert gateway.http.get("/v1/jobs", params={"cursor": "x"}).status_code == 422
    part = gateway.http.get("/v1/jobs", params={**asked, "part": ids[1].upper()}).json()
    assert ids[1] in [job["id"] for job in part["jobs"]]
    assert not {ids[0], ids[2]} & {job["id"] for job in part["jobs"]}


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"media": "/etc/passwd"}, "media"),
        ({"media": "s3://films/a.mp4"}, "media"),
        ({"cast": {"speaker": {"reference": "../voice.wav"}}}, "cast.speaker.reference"),
        ({"cast": "/etc/passwd"}, "cast"),
        ({"background": {"mode": "track", "track": "me.flac"}}, "background.track"),
        ({"script": "film.srt", "segments": None}, "script"),
        ({"script": "upload:0123", "segments": None}, "script"),
        ({"media": "upload:../../x"}, "media"),
        ({"segments": [{"start": 2, "end": 1, "text": "Late."}]}, "segment"),
        ({"language": 5}, "language"),
    ],
)
def test_a_request_names_no_file_of_the_server(
    fields: dict[str, Any], place: str, gateway: Gateway
) -> None:
    asked = {name: value for name, value in (manifest() | fields).items() if value is not None}
    for route in ("/v1/jobs", "/v1/jobs/preview"):
        refused = gateway.http.post(route, json=asked)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_input")
        assert place in refused.json()["message"]


def test_a_preview_stores_nothing(gateway: Gateway) -> None:
    asked = manifest()
    told = gateway.http.post("/v1/jobs/preview", json=asked).json()
    assert (told["lines"], told["engines"]) == (2, ["faulty"])
    (speaker,) = told["speakers"]
    assert (speaker["name"], speaker["lines"], speaker["engine"]) == ("speaker", 2, "faulty")
    assert speaker["voice"]
    assert gateway.http.get(f"/v1/jobs/{asked['id']}").status_code == 404


def test_a_preview_estimates_the_time_by_the_batches_that_were_done(gateway: Gateway) -> None:
    submitted(gateway)
    told = gateway.http.post("/v1/jobs/preview", json=manifest()).json()["estimate"]
    assert (told["costs"], told["lacks"]) == ({}, [])
    assert 0 < told["ready_in"] < 60


def test_a_follower_goes_on_at_another_gateway_where_the_first_one_was_killed(
    system: Served, gateway: Gateway
) -> None:
    asked = manifest(*(f"<slow:0.2> Line {n}." for n in range(12)))
    job, last, seen = asked["id"], None, []
    with (
        gateways.running(system.settings, PYTHONPATH=str(PLUGINS), **ANY) as first,
        # Its stream ends by the death of the gateway, and by no other end.
        system.frozen("assembly"),
    ):
        first.http.post("/v1/jobs", json=asked)
        with first.events(job) as events, pytest.raises(httpx2.HTTPError):
            for event in events:
                if "id" in event:
                    last = event["id"]
                    seen.append(event)
                    first.kill()
    assert last
    with gateway.events(job, last) as events:
        *told, end = events
    seen += [event for event in told if "id" in event]
    assert (end["event"], end["data"]["state"]) == ("end", "completed")
    ids = [event["id"] for event in seen]
    kept = system.client.ledger.events.past(job, "0-0")
    assert ids == [id_ for id_, _ in kept][-len(ids) :]
    assert [e["data"]["told"]["state"] for e in seen if e["event"] == "state"][-1] == "completed"
    over = gateway.http.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": ids[-1]})
    assert over.status_code == 204


def test_who_follows_a_job_just_after_it_was_retried_is_told_of_the_new_round(
    system: Served,
) -> None:
    client = system.client
    job = client.submit(script("retried", "A line that nobody speaks.", engine="tone")).id
    client.cancel(job)
    # What it needs is imported by then: the second one is quick.
    client.retry(job)
    client.cancel(job)

    async def told() -> list[int]:
        # It has not begun to ask for events, which come at any time after the retry.
        following = Following(client.storage, client.ledger)
        async with following.follow(job) as first, aclosing(first.events()) as events:
            rounds = [(await anext(events)).status.round]
            await asyncio.to_thread(client.retry, job)
            async with following.follow(job) as second, aclosing(second.events()) as others:
                rounds.append((await anext(others)).status.round)
            # What one asked is told to the others.
            rounds.append((await anext(events)).status.round)
        return rounds

    assert asyncio.run(asyncio.wait_for(told(), 30)) == [2, 3, 3]
    client.cancel(job)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"Host": "films.example"},
        {"Origin": "https://films.example"},
    ],
)
def test_without_a_key_nobody_is_served_who_may_come_from_elsewhere(
    headers: dict[str, str], gateway: Gateway
) -> None:
    refused = gateway.http.get("/v1/jobs", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_without_a_key_that_was_made_any_key_will_do(gateway: Gateway) -> None:
    from openai import OpenAI

    with OpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
        assert "faulty" in [model.id for model in client.models.list()]


def test_a_key_is_asked_for_once_there_is_one_and_shows_its_own_tenant_alone(
    system: Served,
) -> None:
    keyring = Keyring(system.client.storage)
    everything = [Scope.READ, Scope.SUBMIT, Scope.VOICES]
    made = [
        keyring.make(tenant, everything, granted=[f"s3://{tenant}"]) for tenant in ("acme", "bolt")
    ]
    reader = keyring.make("acme", [Scope.READ])
    try:
        with gateways.running(system.settings, PYTHONPATH=str(PLUGINS), **ANY) as gateway:
            assert gateway.http.get("/health").status_code == 200
            assert gateway.http.get("/v1/jobs").status_code == 401
            assert gateway.as_("dub_0123456789ab_" + "a" * 43).get("/v1/jobs").status_code == 401
            acme, bolt, looks = (gateway.as_(text) for _, text in (*made, reader))
            asked = manifest()
            assert looks.post("/v1/jobs", json=asked).status_code == 403
            # What the key grants is refused below, for want of a grant of the operator's.
            for to, why in (
                ("s3://acme/results", "not granted to results"),
                ("s3://acme-2/results", "your key does not grant"),
                ("s3://acme/../bolt", "write it as s3://bucket/prefix"),
            ):
                refused = acme.post("/v1/jobs", json={**asked, "output": {"to": to}})
                assert (refused.status_code, why in refused.text) == (422, True), refused.text
            assert acme.post("/v1/jobs", json={**asked, "tenant": "bolt"}).status_code == 403
            assert acme.post("/v1/jobs", json=asked).json()["tenant"] == "acme"
            assert bolt.post("/v1/jobs", json=asked).status_code == 409
            assert bolt.get("/v1/jobs").json()["jobs"] == []
            assert acme.get("/v1/me").json()["tenant"] == "acme"
            keyring.revoke(made[0][0].id)
            system.until(lambda: acme.get("/v1/me").status_code == 401, "refused", seconds=10)
    finally:
        for use in keyring.all():
            keyring.revoke(use.key.id)


def test_a_tenant_has_no_more_lines_spoken_than_its_quota(gateway: Gateway) -> None:
    asked = manifest(tenant="small")
    nameless = manifest("One line.", tenant="small") | {"id": None}
    # Only jobs that are stored count, and each once.
    answers = [
        gateway.http.post("/v1/jobs", json=fields).status_code
        for fields in (
            asked | {"language": "xx"},
            *(asked, asked, asked | {"seed": 7}),
            *(nameless, nameless),
        )
    ]
    assert answers == [422, 201, 200, 409, 201, 200]
    refused = gateway.http.post("/v1/jobs", json=manifest("One line.", tenant="small"))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["Retry-After"]) == refused.json()["retry_after"] > 0
    assert gateway.http.post("/v1/jobs", json=manifest(tenant="other")).status_code == 201


def test_lines_that_are_spoken_anew_count_and_others_do_not(gateway: Gateway) -> None:
    asked = manifest("<broken> A line.", "A line.", tenant="again")
    path, retry = f"/v1/jobs/{asked['id']}", {"engine": "faulty"}
    gateway.http.post("/v1/jobs", json=asked)

    def left() -> int:
        assert gateway.http.get(f"{path}?wait=60").json()["state"] in {"failed", "completed"}
        limited = gateway.http.post("/v1/jobs", json=manifest(*["One line."] * 20, tenant="again"))
        (found,) = re.findall(r"and (\d+) are left", limited.json()["message"])
        return int(found)

    assert left() == 8
    assert gateway.http.post(f"{path}/retry", json=retry | {"voice": "none"}).status_code == 422
    assert left() == 8
    assert gateway.http.post(f"{path}/retry", json=retry).status_code == 200
    assert left() == 7
    asked["segments"][0]["text"] = "A line that can be spoken."
    assert gateway.http.put(path, json=asked | {"language": "xx"}).status_code == 422
    assert gateway.http.put(path, json=asked).status_code == 200
    assert left() == 6
    # Nothing is spoken for it.
    assert gateway.http.put(path, json=asked | {"metadata": {"a": "b"}}).status_code == 200
    assert left() == 6


def test_a_text_that_is_refused_does_not_count(gateway: Gateway) -> None:
    plain = {"text": "Said at once.", "voice_id": "low", "language": "qaa", "engine": "faulty"}
    before = gateway.http.get("/v1/me").json()["lines_today"]
    for fields, status, count in (
        ({"voice_id": "nobody"}, 404, 0),
        ({"text": "♪"}, 422, 0),
        ({"language": "no tag"}, 422, 0),
        ({}, 200, 1),
    ):
        answer = gateway.http.post("/api/synthesize", json=plain | fields)
        assert answer.status_code == status, answer.text
        assert gateway.http.get("/v1/me").json()["lines_today"] == before + count


def test_engines_speak_for_a_tenant_no_longer_than_its_quota(
    gateway: Gateway, system: Served
) -> None:
    asked = manifest("<slow:1> A slow line.", tenant="quick")
    path = f"/v1/jobs/{asked['id']}"
    gateway.http.post("/v1/jobs", json=asked)
    ended = gateway.http.get(f"{path}?wait=60").json()
    assert (ended["state"], ended["used"][0]["engine"]) == ("completed", "faulty")
    used = ended["used"][0]["seconds"]
    assert used >= 1
    storage, month = system.client.storage, f"{datetime.now(UTC):%Y-%m}"
    known, seeds = pytest.approx(used, abs=0.01), itertools.count(1)
    system.until(lambda: seconds_used(storage, "quick", month) == known, "counted", seconds=10)

    def refused() -> bool:
        # What was used before is known for some seconds.
        answer = gateway.http.put(path, json=asked | {"seed": next(seeds)})
        return answer.status_code == 429 and "spoken 0.5 s for 'quick'" in answer.json()["message"]

    system.until(refused, "refused", seconds=10)


def test_a_tenant_keeps_no_more_than_its_quota(gateway: Gateway, system: Served) -> None:
    refused = gateway.http.post("/v1/jobs", json=manifest(tenant="full"))
    assert (refused.status_code, "keeps 0 GB of 0" in refused.json()["message"]) == (429, True)
    # What a job keeps is told by its outputs, until it is deleted.
    asked = manifest("A line.", tenant="keeper")
    path = f"/v1/jobs/{asked['id']}"
    gateway.http.post("/v1/jobs", json=asked)
    gateway.http.get(f"{path}?wait=60")
    outputs = gateway.http.get(f"{path}/outputs").json()["outputs"]
    made = sum(one["bytes"] for one in outputs)
    # The mark goes a moment after the job counts as ended.
    system.until(lambda: bytes_kept(system.client.storage, "keeper") > made, "kept")
    assert gateway.http.delete(path).status_code == 204
    assert bytes_kept(system.client.storage, "keeper") == 0


def test_a_gateway_that_is_told_to_end_sends_its_followers_away(gateway: Gateway) -> None:
    # Nobody speaks it.
    asked = manifest(engine="tone")
    assert gateway.http.post("/v1/jobs", json=asked).status_code == 201
    with gateway.events(asked["id"]) as events:
        next(events)
        assert gateway.stop() == 0
        assert "end" not in [event["event"] for event in events]
