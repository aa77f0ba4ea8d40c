"""What an engine cost in a month, on a real Redis and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from dubbing.engines.usage import EndpointUse
from dubbing.jobs.costs import Account, enter, spent, summed
from dubbing.ledger import Address, Ledger
from dubbing.planning.result import BatchResult
from dubbing.storage import Storage


def test_a_month_is_summed_up_from_storage_whatever_redis_lost(
    tmp_path: Path, redis_url: str
) -> None:
    storage, ledger = Storage.at(str(tmp_path)), Ledger(redis_url)
    at = Address(job="a-job.7", round=2, token="3:0:100:60:2", queue="synthesis.hum")
    use = {"engine": "hum", "seconds": 9.0, "currency": "CNY"}
    used = [
        EndpointUse(**use, endpoint=f"http://host-{n}", cost=cost)
        for n, cost in enumerate((0.5, 0.25, 0.0))
    ]
    result = BatchResult(batch=3, worker="w", used=tuple(used))
    (name,) = enter(storage, at, result)
    assert enter(storage, at, result) == {name: 750_000}
    engine, month, currency = name.split(":")
    account = Account(engine, month, currency)
    assert (engine, currency) == ("hum", "CNY")
    enter(storage, at, result.model_copy(update={"batch": 4}))
    assert summed(storage, account) == pytest.approx(1.5)
    assert spent(storage, ledger, account) == pytest.approx(1.5)
    # Once it is summed up, the ledger alone is asked.
    enter(storage, at, result.model_copy(update={"batch": 5}))
    assert spent(storage, ledger, account) == pytest.approx(1.5)
    with redis.from_url(redis_url) as server:
        server.flushall()
    assert spent(storage, ledger, account) == pytest.approx(2.25)
    assert spent(storage, ledger, account._replace(month="2020-01")) == 0
