"""A worker that speaks by an engine server of another folder, with a key and over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import ClassVar

import engine_servers
import numpy as np
import pytest
import tls
from engine_servers import KEY, EngineServer
from system import System, numbered, script

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line
from dubbing.media.samples import Audio, decode_clip, trim
from dubbing.script.manifest import ManifestRole
from dubbing.system import System as Installation

SECRET = "a key of a test"
VARIABLE = "DUBBING_KEY_TONE"


class Home(System):
    """A worker of the engine that is served elsewhere, and one of assembly."""

    ENGINES: ClassVar = {"remote": "remote-tone", "assembly": "assembly"}

    def launch(self, engine: str, *, log: str = "", **variables: str) -> Popen[bytes]:
        """Start a worker that has the key."""
        return super().launch(engine, log=log, **{VARIABLE: SECRET}, **variables)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[EngineServer, Path]]:
    certificate = tls.certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=certificate)
    options = ("tone", "--certificate", str(certificate))
    with engine_servers.running(*options, verify=trusted, **{KEY: SECRET}) as server:
        yield server, certificate


def test_a_job_is_spoken_by_a_server_with_a_key_over_tls_exactly_as_at_home(
    server: tuple[EngineServer, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, certificate = server
    monkeypatch.setenv(VARIABLE, SECRET)
    job = script("far", *numbered("Far", 8)).model_copy(
        update={"engine": "remote-tone", "cast": {"speaker": ManifestRole(voice="high")}}
    )
    with Home(tmp_path / "home", ca_file=certificate) as home:
        registry = Installation(home.settings).registry
        registry.add("remote-tone", {"url": there.url, "slots": 4, "key_from": VARIABLE}, {})
        home.run(job)
        assert home.whole(job)
        for outcome in home.outcomes(job).values():
            (take, *_) = outcome.result.takes
            spoken = decode_clip(home.client.storage.get(take.key))
            line = outcome.line
            asked = Line(
                text=line.spoken, language="qaa", voice="high", speed=line.speed, seed=line.seed
            )
            (made,) = Tone().synthesize([asked])
            assert isinstance(made, Audio)
            # Clips have 16 bits.
            assert np.allclose(spoken.samples, trim(made).samples, atol=1 / 32768)
