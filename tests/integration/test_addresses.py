"""A film, a track or a reference is a file or lies on S3: no other address is ever asked."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dubbing import cli
from dubbing.client import Client
from dubbing.errors import BadInput
from dubbing.job import Background, Segment
from dubbing.script.manifest import Manifest, ManifestRole

LINE = {"id": "1", "start": 1, "end": 3, "text": "Good day."}
ADDRESSES = [
    "http://127.0.0.1:{port}/a.wav",
    "HTTP://127.0.0.1:{port}/a.wav",
    "https://127.0.0.1:{port}/a.wav",
    "http://localhost:{port}/a.wav",
    "http://2130706433:{port}/a.wav",
    "http://[::ffff:127.0.0.1]:{port}/a.wav",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/a.wav",
    "ftp://127.0.0.1:{port}/a.wav",
    "rtmp://127.0.0.1:{port}/a",
    "tcp://127.0.0.1:{port}",
    "file:///etc/hostname",
    "//127.0.0.1:{port}/a.wav",
    "http:127.0.0.1:{port}/a.wav",
    "concat:http://127.0.0.1:{port}/a.wav|a.wav",
    "s3:/127.0.0.1:{port}/a.wav",
    "cache:http:/127.0.0.1:{port}/a.wav",
]


class Listener:
    """A port that knows whether anybody connected."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    @property
    def asked(self) -> bool:
        """Whether there was a connection, which waits here until it is accepted."""
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    assert not listener.asked
    with socket.create_connection(("127.0.0.1", listener.port)):
        assert listener.asked
    listener.close()


@pytest.fixture
def home(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a Redis and no worker."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DUBBING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path))
    monkeypatch.setenv("DUBBING_REDIS_URL", redis_url)
    return tmp_path


@pytest.fixture
def untouched(home: Path, redis_url: str) -> Iterator[None]:
    """Nothing may be stored and nothing queued."""
    yield
    with redis.from_url(redis_url) as server:
        assert server.dbsize() == 0
    assert not [path for path in (home / "storage").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_refused_by_name_and_never_asked(
    address: str, home: Path, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    url = address.format(port=listener.port)
    fields = {
        "media": {"media": url},
        "background.track": {"background": {"mode": "track", "track": url}},
        "reference": {"cast": {"speaker": {"reference": url}}},
    }
    for name, field in fields.items():
        manifest = {"language": "en", "engine": "tone", "segments": [LINE], **field}
        (home / "job.json").write_text(json.dumps(manifest))
        with pytest.raises(SystemExit) as ended:
            cli.main(["submit", "job.json"])
        assert ended.value.code == 2
        said = capsys.readouterr().err
        assert name in said
        assert url.rsplit("/", maxsplit=1)[-1] in said


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_client_asks_no_address_either(address: str, home: Path, listener: Listener) -> None:
    url = address.format(port=listener.port)
    job = Manifest(language="en", engine="tone", segments=(Segment(**LINE),))
    client = Client.connect()
    for field in (
        {"media": url},
        {"background": Background(mode="track", track=url)},
        {"cast": {"speaker": ManifestRole(reference=url)}},
    ):
        with pytest.raises(BadInput):
            client.submit(job.model_copy(update=field))
