"""The previous release, from git: its workers and its client run beside this release."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from dubbing.embedded.stack import dubbing_command, environment
from dubbing.errors import NotFound, QueueUnavailable, Transient
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

RELEASE_BEFORE = "8601b7a7fd2f3b103c21a372cc97f16de65e23c6"
"""The commit of the previous release; to be changed with each release."""
ROOT = Path(__file__).parents[2]
SUBMIT_SECONDS = 60.0
PARTS = ("dubbing", "tasks", "workers", "tests/plugins")


class Before:
    """The source of a release, in its own folder; it runs in this environment."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Extract the release from git; raises NotFound if this clone lacks the commit.

        folder: target of the source. settings: of the system that the release's client uses.
        """
        packed = subprocess.run(
            ["git", "archive", RELEASE_BEFORE, *PARTS], cwd=ROOT, capture_output=True, check=False
        )
        if packed.returncode:
            why = packed.stderr.decode(errors="replace").strip()
            raise NotFound(f"git has no {RELEASE_BEFORE} here, fetch it: {why}")
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            # Python before 3.11.4 has no filters; the archive is git's own.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            archive.extractall(folder)
        self.variables = {"PYTHONPATH": f"{folder}:{folder / 'tests' / 'plugins'}"}
        """Environment of a process that runs this release: its path precedes the installed one."""
        self._folder = folder
        self._environment = {**os.environ, **environment(settings), **self.variables}

    def submit(self, job: Manifest) -> None:
        """Submit a job with the release's command line; raises QueueUnavailable, Transient."""
        path = self._folder / f"{job.id}.json"
        path.write_text(job.model_dump_json(exclude_defaults=True))
        done = subprocess.run(
            [*dubbing_command(), "submit", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=SUBMIT_SECONDS,
            check=False,
        )
        if done.returncode and "Redis" in done.stderr:
            raise QueueUnavailable(done.stderr)
        if done.returncode:
            raise Transient(f"the release before submitted nothing: {done.stdout}{done.stderr}")
