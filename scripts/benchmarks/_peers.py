"""The rules by which other dubbing tools place the lines of a film and set their rates.

The rules are reimplemented from the source files that each function names, as of 2026. Texts are
not changed: a tool that shortens texts with a language model does better than here. Options of a
tool have their defaults. If a tool does not trim its takes, its lines are heard late by the silence
at the beginning of the take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True)
class Natural:
    """A line and its natural take, as the engine returned it."""

    start: float
    """Seconds from the film's first frame, as is the end."""
    end: float
    lead: float
    """Seconds of silence before the first sound of the take."""
    speech: float
    """Seconds from its first sound to its last."""
    tail: float
    """Seconds of silence after its last sound."""
    pauses: tuple[float, ...]
    """Seconds of each silence within the speech."""

    @property
    def file(self) -> float:
        """Seconds of the whole take, including the silence at both ends."""
        return self.lead + self.speech + self.tail


class Heard(NamedTuple):
    """A line as it is heard."""

    start: float
    """Seconds from the film's first frame to its first sound."""
    end: float
    """Seconds from the film's first frame to its last sound."""
    rate: float
    """Factor on its natural pace."""
    lost: float = 0.0
    """Seconds of speech that are cut off."""


Rule = Callable[[Sequence[Natural], float], list[Heard]]
"""Places lines, sorted by time, in a film of the given seconds."""


def open_dubbing(lines: Sequence[Natural], film: float) -> list[Heard]:
    """Softcatala/open-dubbing, open_dubbing/text_to_speech.py and ffmpeg.py.

    Silences after the first sound are cut to 0.1 s. The take has until the next line: the ratio is
    rounded to a tenth and at most 1.3. It is laid over the film at its start.
    """
    found = []
    for line, after in zip(lines, _next_starts(lines, film), strict=True):
        speech = line.speech - sum(pause - 0.1 for pause in line.pauses if pause > 0.1)
        ratio = round((line.lead + speech + min(line.tail, 0.1)) / (after - line.start), 1)
        found.append(_played(line, line.start, min(max(ratio, 1.0), 1.3), speech))
    return found


def pyvideotrans(lines: Sequence[Natural], film: float) -> list[Heard]:
    """jianchang512/pyvideotrans, videotrans/task/_rate.py, with audio sped up and video as it is.

    The take has until the next line. If it is more than 50 ms too long, the silence after it is
    cut, and it is sped up for the remaining excess. A line starts once the previous one has ended.
    """
    found: list[Heard] = []
    cursor = 0.0
    for line, after in zip(lines, _next_starts(lines, film), strict=True):
        able, length = after - line.start, line.file
        if length - able > 0.05:
            length = line.lead + line.speech
        rate = max(1.0, length / able) if line.file - able > 0.05 else 1.0
        start = max(line.start, cursor)
        cursor = max(start + length / rate, line.end)
        found.append(_played(line, start, rate))
    return found


def sonitranslate(lines: Sequence[Natural], film: float) -> list[Heard]:
    """R3gm/SoniTranslate, soni_translate/text_to_speech.py (accelerate_segments).

    The ratio of take to cue is at most 1.9 and at least 0.8, 1 between 0.8 and 1.15, and rounded to
    a tenth. The take is laid over the film at its start.
    """
    found = []
    for line in lines:
        ratio = line.file / (line.end - line.start)
        ratio = 1.0 if 0.8 <= ratio <= 1.15 else min(max(ratio, 0.8), 1.9)
        found.append(_played(line, line.start, round(ratio, 1)))
    return found


def linly(lines: Sequence[Natural], film: float) -> list[Heard]:
    """Kedreamix/Linly-Dubbing, tools/step040_tts.py (generate_wavs).

    A line starts once the previous one has ended. From there it has the length of its cue, at most
    until the end of the next cue, and is stretched to it, to 0.5 to 1.5 times its length.
    """
    found: list[Heard] = []
    cursor = 0.0
    for index, line in enumerate(lines):
        start = max(line.start, cursor)
        end = start + line.end - line.start
        if index + 1 < len(lines):
            end = min(end, lines[index + 1].end)
        factor = min(max((end - start) / line.file, 0.5), 1.5)
        found.append(_played(line, start, 1 / factor))
        cursor = start + line.file * factor
    return found


def videolingo(lines: Sequence[Natural], film: float) -> list[Heard]:
    """Huanshere/VideoLingo, core/_8_2_dub_chunks.py, core/_10_gen_audio.py and config.yaml.

    Lines that are too fast are joined with those after them; each chunk has one rate, 1.2 if that
    suffices, and its takes follow each other, with or without their gaps. The end of its last take
    is cut off. Here the takes' real lengths stand for the lengths that it estimates.
    """
    gaps = _gaps(lines, film)
    found: list[Heard] = []
    first = 0
    for last in _videolingo_ends(lines, gaps):
        chunk, between, tail = lines[first : last + 1], gaps[first:last], min(gaps[last], 1.5)
        spoken, free = sum(line.file for line in chunk), sum(between)
        own = _videolingo_time(chunk, gaps[first : last + 1])
        for wanted, able in (
            (spoken + free, own - tail),
            (spoken, own - tail),
            (spoken + free, own),
        ):
            if wanted / 1.2 < able:
                rate = max(1.0, wanted / (able - 0.1))
                break
        else:
            wanted, rate = spoken, spoken / (own - 0.1)
        at, limit = chunk[0].start, chunk[-1].end + tail
        for line, gap in zip(chunk, [*between, 0.0], strict=True):
            found.append(_cut(_played(line, at, rate), limit))
            at += (line.file + (gap if wanted > spoken else 0.0)) / rate
        first = last + 1
    return found


def _videolingo_time(lines: Sequence[Natural], gaps: Sequence[float]) -> float:
    """Return the seconds that lines have: their own, and up to 1.5 s of each gap."""
    return sum(line.end - line.start + min(gap, 1.5) for line, gap in zip(lines, gaps, strict=True))


def _videolingo_ends(lines: Sequence[Natural], gaps: Sequence[float]) -> list[int]:
    """Return the last line of each chunk: one before a gap, or one of three that fit together."""

    def fast(first: int, last: int) -> bool:
        part = slice(first, last + 1)
        spoken = sum(line.file for line in lines[part])
        return spoken > _videolingo_time(lines[part], gaps[part])

    ends = {index for index, gap in enumerate(gaps) if gap >= 1.5}
    end, at = len(lines) - 1, 0
    while at <= end:
        if at not in ends:
            first = at
            if at < end and (fast(at, at) or fast(at + 1, at + 1)):
                at += 1
            if first < at < end and fast(first, at):
                at += 1
            ends.add(at)
        at += 1
    return sorted(ends)


def krillin(lines: Sequence[Natural], film: float) -> list[Heard]:
    """krillinai/KrillinAI, internal/service/dubbing/planner.go, fit.go and types.go.

    Up to five lines with gaps of at most 1.5 s are a chunk. Its takes follow each other without
    gaps, as fast as the time of the chunk requires.
    """
    found: list[Heard] = []
    chunk: list[Natural] = []
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        chunk.append(line)
        if after and len(chunk) < 5 and after.start - line.end <= 1.5:
            continue
        rate = max(1.0, sum(one.file for one in chunk) / (line.end - chunk[0].start))
        at = chunk[0].start
        for one in chunk:
            found.append(_played(one, at, rate))
            at += one.file / rate
        chunk = []
    return found


def voicestudio(lines: Sequence[Natural], film: float) -> list[Heard]:
    """debpalash/VoiceStudio, backend/api/routers/dub_generate.py, strategy "concise".

    Takes keep their pace. One may use 0.25 s of the gap after it, but not its last 0.05 s; its rest
    is cut off.
    """
    found = []
    for line, gap in zip(lines, _gaps(lines, film), strict=True):
        limit = line.end + max(0.0, min(gap - 0.05, 0.25))
        found.append(_cut(_played(line, line.start, 1.0), limit))
    return found


PEERS: Mapping[str, Rule] = {
    "open_dubbing": open_dubbing,
    "pyvideotrans": pyvideotrans,
    "sonitranslate": sonitranslate,
    "linly_dubbing": linly,
    "videolingo": videolingo,
    "krillinai": krillin,
    "voicestudio": voicestudio,
}


def _played(line: Natural, start: float, rate: float, speech: float | None = None) -> Heard:
    """Return a line whose take's file starts at ``start``. speech: audible seconds, or all."""
    first = start + line.lead / rate
    return Heard(first, first + (speech or line.speech) / rate, rate)


def _next_starts(lines: Sequence[Natural], film: float) -> list[float]:
    return [*(line.start for line in lines[1:]), film]


def _gaps(lines: Sequence[Natural], film: float) -> list[float]:
    """Return the seconds from the end of each line to the start of the next one."""
    starts = _next_starts(lines, film)
    return [start - line.end for line, start in zip(lines, starts, strict=True)]


def _cut(heard: Heard, limit: float) -> Heard:
    """Return a line that is cut off at ``limit``."""
    lost = max(0.0, heard.end - limit)
    return heard._replace(end=heard.end - lost, lost=lost * heard.rate)
