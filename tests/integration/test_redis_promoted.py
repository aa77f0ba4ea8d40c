"""A replica of Redis that is promoted in the middle of jobs, and lacks what came last."""

from __future__ import annotations

from pathlib import Path

import pytest
from sentinels import GuardedRedis
from services import PLUGINS
from system import System, numbered, script


def test_sentinels_name_the_new_master_to_a_job_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    server = GuardedRedis()
    with System(tmp_path / "home", server=server, redis_url=server.seen_at) as system:
        job = script("guarded", *numbered("Guarded", 40, "<slow:0.1>"))
        system.client.submit(job)
        system.begun(job, 10)
        server.kill()
        system.wait(job.id)
        assert system.whole(job)
        assert system.spoken_in_vain(job) == []
        # The same workers.
        assert system.client.fleet.workers()
