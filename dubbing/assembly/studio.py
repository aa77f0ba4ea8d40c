"""Extra files for a studio: stems, an edit of them, and a transcript.

The stems are the programme before its limiter: a mono file for each speaker, which is the centre of
5.1, and the background as mixed. All begin with the film, at its timecode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dubbing.assembly.balance import Balance
from dubbing.assembly.edit import Edit, Lane, Part
from dubbing.assembly.mix import BLOCK, Mixer, mix
from dubbing.assembly.programme import Programme
from dubbing.job import FILMS
from dubbing.job.output import saved_as
from dubbing.media.probe import RATE
from dubbing.media.recorder import Recorder
from dubbing.media.samples import Samples
from dubbing.media.timecode import begins_at
from dubbing.media.wave import Wave
from dubbing.script.dapt_writer import write_dapt
from dubbing.storage import Storage

STEMS = "stems/"
BACKGROUND = f"{STEMS}background.wav"
EDIT = "dub.otio"
TRANSCRIPT = "dub.ttml"
PLAIN = re.compile(r"[a-z0-9]+")
LONGEST = 40
"""Most characters of a speaker's name in the name of a stem."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """The files for a job's ``output.studio``, from a balanced programme."""

    programme: Programme
    storage: Storage
    balance: Balance
    background: Recorder
    folder: Path
    check: Callable[[], None]
    """Called every few seconds of a stem; it raises to stop the work."""

    def write(self) -> list[str]:
        """Write the files into the folder and return their names."""
        asked = {*self.programme.job.output.studio}
        names: list[str] = []
        if asked & {"stems", "edit"}:
            start = begins_at(self.programme.film.path) if self.programme.film else 0
            names += self._stems(start)
            if "edit" in asked:
                names.append(self._edit(start))
        if "dapt" in asked:
            names.append(self._transcript())
        return names

    def _stems(self, start: int) -> Iterator[str]:
        (self.folder / STEMS).mkdir()
        sounds = {name: self._speech(who) for who, name in stems(self.programme).items()}
        for name, sound in (*sounds.items(), (BACKGROUND, self._under())):
            channels = self.programme.channels if name == BACKGROUND else 1
            path = self.folder / name
            with Wave(path, channels=channels, description=path.stem, start=start) as wave:
                for block in sound:
                    self.check()
                    wave.write(block)
            yield name

    def _speech(self, speaker: str) -> Iterator[Samples]:
        """Yield the speech of one speaker as mixed; its clips are rendered once more."""
        said = {line.id for line in self.programme.spoken if line.speaker == speaker}
        clips = [clip for clip in self.programme.clips() if clip.id in said]
        gain = np.float32(10 ** (self.balance.speech / 20))
        for block in Mixer(self.storage, clips, frames=self.programme.frames).blocks():
            yield block * gain

    def _under(self) -> Iterator[Samples]:
        """Yield the background as mixed."""
        frames = self.programme.frames
        lengths = (min(BLOCK, frames - first) for first in range(0, frames, BLOCK))
        return mix(
            (np.zeros((length, 1), np.float32) for length in lengths),
            self.background.read(BLOCK),
            self.balance,
            channels=self.programme.channels,
            unchanged=self.programme.unchanged,
        )

    def _edit(self, start: int) -> str:
        programme = self.programme
        whole = Part(id="", name=programme.job.id, start=0, end=programme.frames)

        def saved(name: str) -> str:
            """Return the name of a file beside the edit, as `fetch` saves both."""
            return saved_as(programme.job.output.name or "", name)

        films = (f"dub.{container}" for container in programme.containers if container in FILMS)
        lanes = [
            Lane(name="picture", file=saved(film), parts=[whole], kind="Video") for film in films
        ][:1]
        for who, name in stems(programme).items():
            lanes.append(Lane(name=who, file=saved(name), parts=list(self._parts(who))))
        lanes.append(Lane(name="background", file=saved(BACKGROUND), parts=[whole]))
        edit = Edit(name=programme.job.id, lanes=lanes, start=start, frames=programme.frames)
        edit.write(self.folder / EDIT)
        return EDIT

    def _parts(self, speaker: str) -> Iterator[Part]:
        """Yield the lines of one speaker in time order."""
        placed = self.programme.placements
        lines = [s for s in self.programme.spoken if s.speaker == speaker and s.id in placed]
        for line in sorted(lines, key=lambda line: placed[line.id].frame):
            place = placed[line.id]
            end = round(place.end * RATE)
            yield Part(id=line.id, name=line.text, start=place.frame, end=end)

    def _transcript(self) -> str:
        programme = self.programme
        times = {id_: (place.start, place.end) for id_, place in programme.placements.items()}
        write_dapt(programme.script, times, programme.job.language, self.folder / TRANSCRIPT)
        return TRANSCRIPT


def stems(programme: Programme) -> Mapping[str, str]:
    """Return the file of each speaker who is heard, in the order of their first lines."""
    placed = programme.placements
    heard = dict.fromkeys(line.speaker for line in programme.spoken if line.id in placed)
    return {who: f"{STEMS}{_plain(f'{n:02} {who}')}.wav" for n, who in enumerate(heard, 1)}


def _plain(name: str) -> str:
    return "-".join(PLAIN.findall(name.lower()))[:LONGEST]
