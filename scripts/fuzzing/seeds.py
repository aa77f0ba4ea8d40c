"""The seeds of the fuzzer: valid inputs of every kind, and pieces that are hard to read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from fuzzing.targets import JOB, PLAN, ROUND, VOICE

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
FINDS = ROOT / "tests" / "fuzz"
"""The finds of earlier runs: a folder for each target, a file for each find."""

TOKENS = (
    *("½", "1", "1 ", "1½ ", "1.", "1,", "1,000 ", "1:", "1-", "1/2 ", "10:30 ", "1.1.2000 ", "1x"),
    *("1'000 ", "5'6\" ", "12th ", "-1 ", "−1 ", "+1 "),
    *("1+1", "0.1", "1 000 ", "90s ", "die 90er "),
    *("$5 ", "5 km ", "5%", "~1 ", "1~2 ", "°", "C#"),
    *("#1 ", "a@", "a&", "=", "http://a ", "x", "é"),
    *("9" * 41, "٣", "๑", "１", "²", "①", "ⅷ", "I", "II ", "Henry II ", "King I ", "A IV. ", "X."),
    *("(", ")", "[", "]", "()", "[[", "(a", "(a)", "[a"),
    *("[A] a", "[A]: ", "{", "}", "{\\", "{\\p1}"),
    *("{\\p0}", "{\\an8}", "{\\r}", "♪", "♪ a ", "# a "),
    *("#", "*", "* ", "**", "**a ", "* a *", "- "),
    *("—", "“", '"', "'", "<", ">", "</", "<b>", "< "),
    *("<a", "<v A>", "<v ", "<v.a ", "<rt>", "<ruby>"),
    *("</ruby>", "<!--", "-->", "--", "<br", "<br>", "&", "&amp;", "&#", "&#1;", "&#99999999999;"),
    *("\\N", "\\n", "\\h", "\\p", "\\", "/", ":", "A:", "A: ", "NAME (a) ", "- A ", ">>", ">> "),
    *(".", "...", ". ", "!", "?", "。", "，", "！", "\u0301", "\u0323", "\u0301\u0323", "\u200d"),
    *("\u200c", "\u200b", "\u202e", "\u2028", "\x85", "\x0b", "\x0c", "\x00", "\x1b[31m", "\x07"),
    *(" ", "\t", "\u00a0", "\u3000", "\n", "\n\n", "\r", "\r\n", "\ufeff", "\ufffd", "İ", "ß", "ﬁ"),
    *(
        "한",
        "中",
        "一1",
        "ก",
        "ا",
        "🎵",
        "👍🏽",
        "\U0001f1e9",
        "a.",
        "Dr. ",
        "1er ",
        "%",
        "‰",
        "00:00",
    ),
    *("00:00:01,000", "00:00:01,000 --> 00:00:02,000\n"),
    *("1\n", "0:00:01.00", "Dialogue: ", "Format: "),
    *("[Events]\n", "WEBVTT\n", "NOTE ", "STYLE\n"),
    *(",", ";", "sep=", "script", "media", "language"),
    *('"', '""', "null", "true", "NaN", "-0", "1e999"),
    *("1e-999", "9" * 400, "[", "{}", "[]", '{"a":'),
    *('"text":"x",', "\\u0000", "\\ud800", "1,", "{},"),
    *('"a":1,', "../", "s3://", "/etc/passwd", "~"),
)
"""Pieces to insert and repeat: tokens of every format and of every wording rule."""

VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400),
    *(1.5, -0.0, 1e300, float("inf"), float("nan")),
    *("", " ", "x", "\0", "\x1b[2J", "../x", "a" * 101),
    *("a" * 30_000, "½" * 30_000, "\ud800", "source"),
    *([], {}, [[]], {"": None}, {"a": {}}, [1] * 1000),
    *([{}] * 1000, "s3://b/k", "12:30", "9" * 5000),
)
"""Values that take the place of others in JSON."""


def seeds(name: str) -> list[bytes]:
    """Return valid inputs of a target, and its earlier finds."""
    return [*GOOD[name], *(data for _, data in finds(FINDS / name))]


def finds(folder: Path) -> list[tuple[Path, bytes]]:
    """Return the files of a target's finds, with their inputs."""
    files = sorted(folder.glob("*"))
    return [(file, opened(file)) for file in files]


def opened(file: Path) -> bytes:
    """Return the input in a file of the corpus."""
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


def _examples(*names: str) -> tuple[bytes, ...]:
    return tuple((ROOT / name).read_bytes() for name in names)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


SEGMENTS = [
    {"id": "a", "start": 1, "end": 3, "speaker": "Ann", "text": "Hello (sighs), Dr. No: 1,5 km."},
    {"start": 3.5, "end": 5, "text": "♪ Row ♪ on 1.5.2024 at 10:30, $5 and ½."},
]
CAST = {"Ann": {"voice": "low", "speed": 1.1, "pitch": -2}, "speaker": {"engine": "tone"}}
LINE = {"id": "1", "spoken": "Hello", "speed": 1, "seed": 0, "room": 2, "max_rate": 1.2}
TAKE = {"key": "clips/00/0.flac", "speed": 1, "seconds": 1.5, "level": -20}
RESULT = {"id": "1", "takes": [TAKE], "engine": "tone", "model": "0", "seed": 0, "attempts": 1}
ERROR = {"code": "permanent", "message": "no"}
HOLDING = {"loaded": ["tone"], "begun": True, "resting": {"espeak": "gone"}}
SPEC = {
    "name": "tone", "summary": "x", "languages": ["*"], "voices": ["low"], "licence": "MIT",
    "max_characters": {"*": 500}, "sample_rate": 24000, "batch_lines": 4, "batch_seconds": 9.0,
}  # fmt: skip
VTT = """WEBVTT

NOTE a remark

1
00:01.000 --> 00:02.000 align:start
<v Ann>Hello <i>you</i> &amp; <00:01.500>me

00:03.000 --> 00:04.000
- One
- Two
"""
WHISPER = {
    "text": "Hi there", "language": "german", "segments": [
        {"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " Hi", "tokens": [1],
         "words": [{"word": "Hi", "start": 0, "end": 1, "speaker": "A"}]},
        {"id": 1, "start": 1.5, "end": 2.5, "text": " there", "avg_logprob": -0.1},
    ],
}  # fmt: skip
GOOD: dict[str, tuple[bytes, ...]] = {
    "manifest": (
        _json({"language": "de", "segments": SEGMENTS, "cast": CAST, "id": "x", "engine": "tone"}),
        _json({
            "language": "en", "segments": SEGMENTS, "pronunciations": {"No": "Noh", "a b": "c"},
            "fallback": ["tone"], "fit": {"max_rate": 1.5}, "output": {"formats": ["flac"]},
            "speak_sounds": True, "tenant": "t", "collection": "c", "seed": 1, "allow_missing": 0.5,
        }),
    ),
    "srt": _examples(
        "examples/scene.srt",
        *(f"tests/cases/{name}.srt" for name in ("sounds", "only-dots", "only-a-note")),
    ),
    "ass": _examples("examples/scene.ass"),
    "vtt": (VTT.encode(),),
    "dapt": _examples("tests/cases/dapt.ttml"),
    "transcript": (_json(WHISPER), _json(SEGMENTS), _json({"segments": SEGMENTS})),
    "list": (b"script;language;id\na.srt;de;x\n# b\na.srt;\"en\"\n", b"sep=,\nscript\na.srt\n"),
    "cast": (_json(CAST), _json({"cast": CAST})),
    "pronunciations": (_json({"NASA": "Nassa", "New York": "nu jork"}),),
    "job": (_json({"id": JOB, "language": "de", "segments": [SEGMENTS[0]], "engine": "tone"}),),
    "plan": (ROUND + PLAN + PLAN.replace(b'"number":0', b'"number":1'),),
    "result": (_json({"batch": 0, "worker": "w", "segments": [RESULT]}),),
    "end": (_json({"state": "completed", "round": 1, "at": 1.0, "error": ERROR}),),
    "voice": (_json({"digest": VOICE, "seconds": 3.0, "consent": "yes", "language": "de"}),),
    "voice-name": (VOICE.encode(),),
    "engine": (_json({"spec": SPEC, "model": "0"}),),
    "address": (_json({"job": JOB, "round": 1, "token": "0:31:99:60", "queue": "synthesis.tone"}),),
    "say": (
        _json({
            "ticket": "t", "language": "de", "engine": "tone", "voice": {"stock": "low"},
            "line": LINE,
        }),
    ),
    "order": (_json({"ticket": "t", "order": "load", "engines": ["tone"]}),),
    "heartbeat": (
        _json({
            "name": "w", "engines": ["tone"], "queues": ["synthesis.tone"], "slots": 1,
            "state": "ready", "holding": HOLDING, "errors": ["none"],
        }),
    ),
    "holding": (_json(HOLDING),),
    "report": tuple(path.read_bytes() for path in sorted(GOLDEN.rglob("report.json"))),
    "reply": (_json({"error": ERROR}), _json({"holding": HOLDING})),
}  # fmt: skip
