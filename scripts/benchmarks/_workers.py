"""Workers that a benchmark starts one by one; they may end early, and end with the benchmark."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Collection

from benchmarks._system import PATIENCE, POLL_SECONDS
from dubbing.client import Client
from dubbing.embedded.child import start_child
from dubbing.embedded.stack import dubbing_command, environment
from dubbing.ledger import WorkerState
from dubbing.settings import Settings

END_SECONDS = 20.0
"""Seconds for a worker to end before it is killed."""


class Workers:
    """Workers by name, of one installation or of several."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, name: str, own: Settings, **variables: str) -> None:
        """Start a worker with the given settings and additional environment variables."""
        log = own.home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            self._processes[name] = start_child(
                [*dubbing_command(), "worker", own.engine],
                file,
                env={**os.environ, **environment(own), **variables},
            )

    def ended(self) -> list[str]:
        """Return the names of the workers that have ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def end(self) -> None:
        """Terminate all workers; kill those that do not end in time."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in self._processes.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()


def wait_until_ready(client: Client, engines: Collection[str], before: float = PATIENCE) -> None:
    """Return once a worker takes work for each of ``engines``, which may include assembly."""
    taking = {WorkerState.READY, WorkerState.BUSY}
    deadline = time.monotonic() + before
    while True:
        workers = client.fleet.workers()
        there = {worker.engines[0] for worker in workers if worker.state in taking}
        if there >= set(engines):
            return
        assert time.monotonic() < deadline, f"only {there} are ready, of {engines}"
        time.sleep(POLL_SECONDS)
