"""`dubbing words`: calibrates the proof of words with your own clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import click

from dubbing.cli.group import Group
from dubbing.cli.output import echo, json_option, print_json
from dubbing.client import Client
from dubbing.errors import BadInput
from dubbing.planning.clip import load_clip
from dubbing.planning.outcome import gather
from dubbing.proof.thresholds import FEWEST, Thresholds
from dubbing.proof.words import NAME, Fit, WordJudge, calibrated_to, missing
from dubbing.system import System


@click.group(cls=Group)
def words() -> None:
    """Calibrate the proof of words, which finds lines with wrong words."""


@words.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@json_option
def calibrate(jobs: tuple[str, ...], as_json: bool) -> None:
    """Set the thresholds by the lines of JOBs, which a person has found correct.

    Workers started afterwards take 2 of 100 such lines for wrong. The command needs 50 lines
    of an engine in a language. It stores the thresholds in the folder of the model.
    """
    system = System()
    folder = system.model_folders.of(NAME)
    if lacking := missing(folder):
        raise BadInput(f"proof of words lacks something: {lacking}")
    fits = _fits(Client.connect(), WordJudge(folder), jobs)
    enough = {key: found for key, found in fits.items() if len(found) >= FEWEST}
    if not enough:
        found = ", ".join(f"{len(fits[key])} of {' in '.join(key)}" for key in fits) or "none"
        raise BadInput(f"{FEWEST} lines of an engine and a language are needed; found: {found}")
    records = []
    for (engine, language), lines in enough.items():
        threshold = calibrated_to(lines)
        Thresholds.load(folder).save(folder, engine, language, threshold)
        record = {"engine": engine, "language": language, "lines": len(lines)}
        records.append({**record, **threshold.model_dump()})
        if not as_json:
            echo(
                f"{engine} in {language}: {len(lines)} lines, least evidence "
                f"{threshold.evidence:.2g}, letters heard otherwise {threshold.errors:.0%}, "
                f"letters added {threshold.added}"
            )
    if as_json:
        print_json(records)


def _fits(
    client: Client, judge: WordJudge, jobs: Sequence[str]
) -> dict[tuple[str, str], list[Fit]]:
    """Return how the takes of jobs fit their texts, by engine and language."""
    fits: dict[tuple[str, str], list[Fit]] = defaultdict(list)
    for job in jobs:
        for outcome in gather(client.storage, job, client.status(job).round).values():
            batch = outcome.batch
            for take in outcome.result.takes:
                sound = load_clip(client.storage, take.key, take.digest).audio
                fit = judge.fit(batch.language, outcome.line.spoken, sound)
                if isinstance(fit, Fit):
                    fits[batch.engine, batch.language].append(fit)
    return fits
