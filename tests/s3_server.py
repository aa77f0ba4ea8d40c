"""A real S3 server in one process: OpenStack Swift with its s3api, on 127.0.0.1.

    python s3_server.py FOLDER PAGE

Objects are in memory; Swift's data about accounts and buckets is in FOLDER. The server accepts
requests signed with the keys below, has the buckets below, lists so many keys in one answer, prints
its port when it is ready, and ends when its standard input does.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dubbing.storage import S3Options

ACCESS_KEY_ID = "test:tester"
SECRET_ACCESS_KEY = "testing"
REGION = "us-east-1"
BUCKETS = ("dubbing", "other")
PAGE = 50
"""Most keys in one listing answer, so that tests see more than one of them."""
AMAZON_PAGE = 1000
"""The same of Amazon's S3."""

App = Callable[[dict[str, Any], Any], Any]
"""A WSGI application."""


@contextmanager
def running(folder: Path, page: int = PAGE) -> Iterator[S3Options]:
    """Run the server during the block, with its data in a new folder; yields how to reach it.

    page: most keys in one listing answer.
    """
    # Here, as the process of the server must not import obstore before it is patched.
    from dubbing.storage import S3Options

    folder.mkdir(exist_ok=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(folder), str(page)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, (folder / "log").read_text()
        yield S3Options(
            endpoint=f"http://127.0.0.1:{port}",
            region=REGION,
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
        )
    finally:
        process.terminate()
        process.communicate()


def settings(options: S3Options, endpoint: str | None = None) -> dict[str, Any]:
    """Return the settings of an installation below a new prefix of a bucket.

    endpoint: where the server is reached, if not at its own address.
    """
    return {
        "storage_url": f"s3://{BUCKETS[0]}/{uuid.uuid4().hex}",
        "s3_endpoint": endpoint or options.endpoint,
        "s3_region": options.region,
        "s3_access_key_id": options.access_key_id,
        "s3_secret_access_key": options.secret_access_key,
    }


def main(folder: Path, page: int) -> None:
    """Serve until standard input ends."""
    from swift.common import utils

    utils.monkey_patch()

    import eventlet
    from eventlet.hubs import trampoline

    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
    utils.set_swift_dir(str(folder))
    (folder / "disk").mkdir()
    conf = {
        "swift_dir": str(folder),
        "devices": str(folder),
        "mount_check": "false",
        "fallocate_reserve": "0",
        "log_level": "ERROR",
    }
    for name, backend in _backends(conf).items():
        listener = eventlet.listen(("127.0.0.1", 0))
        _write_ring(folder / f"{name}.ring.gz", listener.getsockname()[1])
        _serve(listener, backend)
    listener = eventlet.listen(("127.0.0.1", 0))
    _serve(listener, _frontend(conf, page))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    trampoline(sys.stdin.fileno(), read=True)


def _backends(conf: dict[str, str]) -> dict[str, App]:
    from swift.account.server import app_factory as accounts
    from swift.container.server import app_factory as containers
    from swift.obj.mem_server import app_factory as objects

    return {"account": accounts(conf), "container": containers(conf), "object": objects(conf)}


def _frontend(conf: dict[str, str], page: int) -> App:
    from swift.common.middleware import (
        bulk,
        catch_errors,
        copy,
        dlo,
        gatekeeper,
        listing_formats,
        slo,
        tempauth,
    )
    from swift.common.middleware.s3api import s3api
    from swift.proxy.server import Application

    app: App = Application({**conf, "account_autocreate": "true"})
    _make_buckets(app)
    account, user = ACCESS_KEY_ID.split(":")
    keys = {f"user_{account}_{user}": f"{SECRET_ACCESS_KEY} .admin"}
    # From innermost to outermost.
    for middleware, options in (
        (dlo, {}),
        (slo, {}),
        (copy, {}),
        (bulk, {}),
        (tempauth, keys),
        (s3api, {"location": REGION, "max_bucket_listing": str(page)}),
        (listing_formats, {}),
        (gatekeeper, {}),
        (catch_errors, {}),
    ):
        app = middleware.filter_factory(conf, **options)(app)
    return _remembering(_one_conditional_write_at_a_time(app))


def _one_conditional_write_at_a_time(app: App) -> App:
    """Make If-None-Match atomic, as in Amazon's S3; Swift first looks, then writes."""
    from eventlet.semaphore import Semaphore

    turn = Semaphore()

    def in_turn(environ: dict[str, Any], start_response: Any) -> Any:
        if "HTTP_IF_NONE_MATCH" in environ and environ["REQUEST_METHOD"] == "PUT":
            with turn:
                return app(environ, start_response)
        return app(environ, start_response)

    return in_turn


class _Memory:
    """Stands for memcached in this one process, which is told of all that changes."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def get(self, key: str, **_: Any) -> Any:
        return self._known.get(key)

    def set(self, key: str, value: Any, **_: Any) -> None:
        self._known[key] = value

    def delete(self, key: str, **_: Any) -> None:
        self._known.pop(key, None)


def _remembering(app: App) -> App:
    """Keep what is known of accounts and buckets, which takes half of each request otherwise."""
    memory = _Memory()

    def remembering(environ: dict[str, Any], start_response: Any) -> Any:
        return app(environ | {"swift.cache": memory}, start_response)

    return remembering


def _make_buckets(app: App) -> None:
    from swift.common.swob import Request

    account = ACCESS_KEY_ID.split(":", maxsplit=1)[0]
    for bucket in BUCKETS:
        request = Request.blank(f"/v1/AUTH_{account}/{bucket}", method="PUT")
        response = request.get_response(app)
        if not response.is_success:
            raise RuntimeError(f"bucket {bucket} was not made: {response.status}")


def _write_ring(path: Path, port: int) -> None:
    """Write the ring file that locates one of Swift's backends."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    place = {"ip": "127.0.0.1", "port": port, "device": "disk"}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, **place})
    builder.rebalance()
    builder.get_ring().save(str(path))


def _serve(listener: Any, app: App) -> None:
    import eventlet
    from eventlet import wsgi
    from swift.common.wsgi import SwiftHttpProtocol

    eventlet.spawn(wsgi.server, listener, app, log_output=False, protocol=SwiftHttpProtocol)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
