"""A job, and a worker in this process that does the steps of its rounds when a test says so."""

from __future__ import annotations

from pathlib import Path

from ledgers import claim
from system import numbered, script

from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.job import JobState
from dubbing.jobs import finish as finishing
from dubbing.jobs.access import Access
from dubbing.jobs.batch_work import BatchRunner, Lease
from dubbing.ledger import Address
from dubbing.ledger.records import ASSEMBLY_TOKEN
from dubbing.planning.plan import Kind, read_refs
from dubbing.script.manifest import Manifest
from dubbing.storage.keys import Keys
from tasks import speech
from tasks.context import Context, current, install

LINES = 4


class Works:
    """A job, and a worker of the tone engine and of assembly in this process."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.storage = client.storage
        self.runner = BatchRunner(
            storage=client.storage,
            ledger=client.ledger,
            publisher=client.publisher,
            access=Access(client.storage, client._system.installation),
            worker="w",
            pause=0.0,
        )
        install(Context(runner=self.runner, engines=Residency(Catalogue())))
        client.submit(self.manifest())

    def manifest(self, name: str = "j") -> Manifest:
        """Return the job, or one of the same lines with another name."""
        return script(name, *numbered("Line", LINES), engine="tone", allow_missing=0.5)

    def speak(self, round_: int, job: str = "j") -> None:
        for ref in read_refs(self.storage.get(Keys.plan(job, round_))):
            speech.synthesize(job=job, round=round_, token=ref.token, queue=ref.queue)
            current().pipeline.settle()

    def finish(self, round_: int, job: str = "j") -> str:
        at = Address(job=job, round=round_, token=ASSEMBLY_TOKEN, queue=Kind.ASSEMBLY.value)
        claim(self.client.ledger, at, "w")
        return finishing.finish(self.runner, Lease(self.client.ledger, at, "w"))

    def result(self, round_: int) -> Path:
        """The file of the only result of a round."""
        return Path(self.storage.url) / Keys.result("j", round_, 0)

    def whole(self, job: str = "j") -> bool:
        status = self.client.status(job)
        report = Report.model_validate_json(self.storage.get(f"{status.output}report.json"))
        heard = [line.id for line in report.lines if line.clip and not line.error]
        return status.state is JobState.COMPLETED and len(heard) == LINES
