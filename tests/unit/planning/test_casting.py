from __future__ import annotations

import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, ErrorRecord
from dubbing.job import Emotion, Job, Role, Segment
from dubbing.planning.casting import (
    assign_voices,
    cast_lines,
    fall_back,
    heard_voices,
    recast,
    stand_in,
)
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import Batch, CastLine, Kind, plan_round
from dubbing.planning.result import SegmentResult
from dubbing.voices.voice import VoiceRef

DIGEST = "ab" * 32


def spec(name: str, **changes: object) -> EngineSpec:
    return Tone.spec.model_copy(update={"name": name, **changes})


SPECS = {
    "cloner": spec("cloner", voices=(), clones=True, speed=(0.8, 1.2), delivery=("style",)),
    "plain": spec("plain", voices=("low", "high"), clones=False, speed=(1.0, 1.0), delivery=()),
    "other": spec("other", voices=("high", "mid"), clones=False),
    "converter": spec("converter", voices=(), base="plain"),
}
OTHER = "cd" * 32


def over(clone: str = DIGEST, **fields: object) -> Role:
    return Role(engine="converter", clone=clone, **fields)


def scene(*speakers: str, **fields: object) -> Job:
    segments = tuple(
        Segment(id=f"{who}{n}", start=5.0 * n, end=5.0 * n + 4, speaker=who, text=f"Line {n}.")
        for n, who in enumerate(speakers)
    )
    return Job(**{"id": "j", "language": "en", "engine": "plain", "segments": segments, **fields})


def became(
    cast: CastLine, error: bool = False, round_: int = 1, code: str = "engine_failed"
) -> Outcome:
    """Return the outcome of a line that was cast in this way."""
    batch = Batch(
        number=0, kind=Kind.SYNTHESIS, engine=cast.engine, voice=cast.voice, deadline=1, lines=()
    )
    result = SegmentResult(
        id=cast.line.id,
        error=ErrorRecord(code, "no") if error else None,
        engine=cast.engine,
        model="m",
        seed=0,
        attempts=1,
    )
    return Outcome(cast.line, round_, batch, result)


def outcomes(job: Job, *failed: str) -> dict[str, Outcome]:
    lines = cast_lines(job, job.segments, SPECS)
    return {cast.line.id: became(cast, cast.line.id in failed) for cast in lines}


def test_a_role_is_played_by_another_engine_as_far_as_that_can() -> None:
    role = Role(clone=DIGEST, engine="cloner", speed=0.8, pitch=2.0, style="sad")
    played = stand_in(role, SPECS["plain"])
    assert (played.engine, played.voice, played.clone) == ("plain", None, None)
    assert (played.speed, played.pitch, played.style) == (1.0, 0.0, "")
    back = stand_in(role, SPECS["cloner"])
    assert (back.clone, back.speed, back.pitch, back.style) == (DIGEST, 0.8, 0.0, "sad")


def test_a_voice_goes_along_to_an_engine_that_has_one_of_its_name() -> None:
    assert stand_in(Role(voice="high"), SPECS["other"]).voice == "high"
    assert stand_in(Role(voice="low"), SPECS["other"]).voice is None
    assert stand_in(Role(voice="low"), SPECS["other"], "mid").voice == "mid"
    assert stand_in(Role(clone=DIGEST), SPECS["cloner"], "mid").clone is None


def test_a_line_has_its_own_emotion_or_that_of_its_role() -> None:
    sad, angry = Emotion(sad=1), Emotion(angry=1)
    job = scene("Ada", "Ada", cast={"Ada": Role(emotion=sad)})
    segments = (job.segments[0], job.segments[1].model_copy(update={"emotion": angry}))
    job = job.model_copy(update={"segments": segments})
    lines = cast_lines(job, job.segments, SPECS)
    assert [cast.line.emotion for cast in lines] == [sad, angry]


def test_an_emotion_is_not_asked_of_a_fallback_that_knows_none() -> None:
    role = Role(engine="cloner", clone=DIGEST, emotion=Emotion(sad=1))
    job = scene("Ada", "Ada", cast={"Ada": role}, fallback=("plain",))
    segments = [s.model_copy(update={"emotion": Emotion(text="sad")}) for s in job.segments]
    job = job.model_copy(update={"segments": (segments[0], job.segments[1])})
    lines = fall_back(job, outcomes(job, "Ada0", "Ada1"), SPECS)
    assert [(cast.engine, cast.line.emotion) for cast in lines] == [("plain", None)] * 2
    knowing = SPECS | {"plain": spec("plain", clones=False, emotions=("feelings", "text"))}
    lines = fall_back(job, outcomes(job, "Ada0", "Ada1"), knowing)
    assert [cast.line.emotion for cast in lines] == [Emotion(text="sad"), Emotion(sad=1)]


def test_only_failed_lines_fall_back_each_to_the_engine_after_its_own() -> None:
    cast = {"Ada": Role(engine="cloner", clone=DIGEST), "Ben": Role(voice="high")}
    job = scene("Ada", "Ben", "Ada", "Ben", cast=cast, fallback=("plain", "other"))
    lines = fall_back(job, outcomes(job, "Ada0", "Ben1"), SPECS)
    assert [(cast.line.id, cast.engine) for cast in lines] == [("Ada0", "plain"), ("Ben1", "other")]
    assert lines[1].voice == VoiceRef(stock="high")
    assert fall_back(job, outcomes(job), SPECS) == []


def test_a_line_falls_back_until_no_engine_is_left() -> None:
    job = scene("Ada", fallback=("other",))
    (first,) = cast_lines(job, job.segments, SPECS)
    (second,) = fall_back(job, {"Ada0": became(first, error=True)}, SPECS)
    assert second.engine == "other"
    assert fall_back(job, {"Ada0": became(second, error=True, round_=2)}, SPECS) == []


def test_a_line_that_a_retry_gave_to_an_engine_of_its_own_does_not_fall_back() -> None:
    job = scene("Ada", fallback=("other",))
    (named,) = cast_lines(recast(job, job.segments, SPECS, "cloner", "x"), job.segments, SPECS)
    assert fall_back(job, {"Ada0": became(named, error=True)}, SPECS) == []


def test_a_line_that_storage_refused_does_not_change_its_speaker() -> None:
    job = scene("Ada", fallback=("other",))
    (first,) = cast_lines(job, job.segments, SPECS)
    lost = became(first, error=True, code="storage_refused")
    assert fall_back(job, {"Ada0": lost}, SPECS) == []


def test_an_engine_that_has_gone_is_passed_over() -> None:
    job = scene("Ada", fallback=("gone", "other"))
    (line,) = fall_back(job, outcomes(job, "Ada0"), SPECS)
    assert line.engine == "other"


def test_a_speaker_keeps_the_voice_that_was_heard_most() -> None:
    job = scene("Ada", "Ada", "Ada", "Ben")
    found = outcomes(job)
    (other,) = cast_lines(recast(job, job.segments, SPECS, voice="high"), job.segments[:1], SPECS)
    found["Ada0"] = became(other)
    assert heard_voices(job, found)["Ada"] == VoiceRef(stock="low")


@pytest.mark.parametrize("role", [Role(voice="low"), Role(clone=DIGEST)])
def test_a_voice_that_the_cast_names_is_not_overruled_by_what_was_heard(role: Role) -> None:
    job = scene("Ada", "Ben")
    heard = heard_voices(job, outcomes(job))
    named = job.model_copy(update={"cast": {"Ada": role}})
    (ada, ben) = cast_lines(named, named.segments, SPECS, heard)
    assert ada.voice.identity in {"stock:low", f"voice:{DIGEST}"}
    assert ben.voice == heard["Ben"]


def test_a_line_that_is_moved_as_it_is_remains_the_same_line() -> None:
    job = scene("Ada", "Ben")
    moved = tuple(
        segment.model_copy(update={"start": segment.start + 0.1, "end": segment.end + 0.1})
        for segment in job.segments
    )
    later = job.model_copy(update={"segments": moved})
    assert cast_lines(later, later.segments, SPECS) == cast_lines(job, job.segments, SPECS)


def test_a_fallback_asks_nothing_of_speakers_whom_it_does_not_concern() -> None:
    cast = {"Ada": Role(clone=DIGEST, engine="cloner", fallback=("copier",)), "Ben": Role()}
    job = scene("Ada", "Ben", cast=cast)
    specs = {**SPECS, "copier": spec("copier", voices=(), clones=True)}
    failed = {cast.line.id: became(cast, True) for cast in cast_lines(job, job.segments, specs)}
    (line,) = fall_back(job, failed, specs)
    assert (line.engine, line.voice) == ("copier", VoiceRef(digest=DIGEST))


def test_a_stand_in_takes_no_voice_that_another_speaker_is_heard_in() -> None:
    job = scene("Ada", "Ben", cast={"Ben": Role(engine="other")}, fallback=("other",))
    (line,) = fall_back(job, outcomes(job, "Ada0"), SPECS)
    assert (line.engine, line.voice) == ("other", VoiceRef(stock="mid"))
    assert outcomes(job)["Ben1"].batch.voice == VoiceRef(stock="high")


def test_an_engine_that_is_not_known_here_is_named() -> None:
    job = scene("Ada", engine="gone")
    with pytest.raises(BadInput, match="no engine 'gone'"):
        cast_lines(job, job.segments, SPECS)
    with pytest.raises(BadInput, match="no engine 'gone'"):
        recast(job, job.segments, SPECS, voice="low")


def test_a_converted_voice_is_spoken_in_one_of_the_bases() -> None:
    job = scene(
        "Ada", "Ben", "Cem", cast={"Ada": over(voice="high"), "Ben": over(OTHER, base="other")}
    )
    voices = assign_voices(job, SPECS)
    assert voices == {
        "Ada": VoiceRef(digest=DIGEST, stock="high", base="plain"),
        "Ben": VoiceRef(digest=OTHER, stock="high", base="other"),
        "Cem": VoiceRef(stock="low"),
    }


def test_converted_speakers_take_the_voices_of_their_base_in_turn() -> None:
    cast = {who: over() for who in ("Ada", "Ben", "Cem")} | {"Dan": over(voice="low")}
    voices = assign_voices(scene(*cast, cast=cast), SPECS)
    assert [ref.stock for ref in voices.values()] == ["low", "high", "high", "high"]


def test_a_converted_speaker_keeps_the_voice_of_the_base() -> None:
    job = scene("Ada", "Ben", cast={"Ada": over(), "Ben": over()})
    heard = heard_voices(job, outcomes(job))
    assert heard["Ben"] == VoiceRef(digest=DIGEST, stock="high", base="plain")
    alone = job.model_copy(update={"segments": job.segments[1:]})
    specs = {**SPECS, "third": spec("third", voices=("mid", "high"), clones=False)}
    for cast, kept in (
        ({"Ben": over(OTHER)}, VoiceRef(digest=OTHER, stock="high", base="plain")),
        ({"Ben": over(voice="low")}, VoiceRef(digest=DIGEST, stock="low", base="plain")),
        ({"Ben": over(base="third")}, VoiceRef(digest=DIGEST, stock="mid", base="third")),
        ({"Ben": Role(clone=DIGEST, engine="cloner")}, VoiceRef(digest=DIGEST)),
    ):
        now = alone.model_copy(update={"cast": cast})
        assert assign_voices(now, specs, heard)["Ben"] == kept


def test_a_converters_lines_are_batched_by_what_both_can() -> None:
    small = spec("small", voices=("low",), clones=False, batch_lines=2, seconds_per_call=30.0)
    specs = {**SPECS, "small": small}
    job = scene("Ada", "Ada", "Ada", "Ben", cast={"Ada": over(base="small"), "Ben": over()})
    plan = plan_round(cast_lines(job, job.segments, specs), "en", specs)
    assert [(batch.voice.base, batch.kind, len(batch.lines)) for batch in plan] == [
        ("small", Kind.EXTRACTION, 0),
        ("small", Kind.SYNTHESIS, 2),
        ("small", Kind.SYNTHESIS, 1),
        ("plain", Kind.EXTRACTION, 0),
        ("plain", Kind.SYNTHESIS, 1),
    ]
    assert {batch.queue for batch in plan} == {"extraction.converter", "synthesis.converter"}


def test_who_stands_in_for_a_converter_has_no_base() -> None:
    role = over(voice="high", base="other")
    plain, cloner = (stand_in(role, SPECS[name]) for name in ("plain", "cloner"))
    assert (plain.engine, plain.base, plain.voice, plain.clone) == ("plain", None, "high", None)
    assert (cloner.base, cloner.voice, cloner.clone) == (None, None, DIGEST)
    back = stand_in(Role(clone=DIGEST, engine="cloner"), spec_of("converter", SPECS))
    assert (back.engine, back.base, back.voice, back.clone) == (
        "converter", "plain", None, DIGEST,
    )  # fmt: skip


def test_a_retry_in_another_voice_of_the_base_is_still_converted() -> None:
    job = scene("Ada", cast={"Ada": over(base="other", voice="high")})
    role = recast(job, job.segments, SPECS, voice="mid").role("Ada")
    assert (role.base, role.voice, role.clone) == ("other", "mid", DIGEST)


def test_a_line_falls_back_from_a_converter_to_a_plain_engine_and_the_other_way() -> None:
    job = scene("Ada", cast={"Ada": over(base="other")}, fallback=("plain",))
    (line,) = fall_back(job, outcomes(job, "Ada0"), SPECS)
    assert (line.engine, line.voice) == ("plain", VoiceRef(stock="low"))
    cloned = {"Ada": Role(engine="cloner", clone=DIGEST, fallback=("converter",))}
    job = scene("Ada", cast=cloned)
    (line,) = fall_back(job, outcomes(job, "Ada0"), SPECS)
    assert line.voice == VoiceRef(digest=DIGEST, stock="low", base="plain")


def test_a_line_is_planned_as_it_is_said_and_its_segment_stays_as_it_is_written() -> None:
    segments = (Segment(id="1", start=0, end=2, speaker="Ada", text="Xi has 3 cats."),)
    job = scene(segments=segments, pronunciations={"Xi": "Schi"})
    (cast,) = cast_lines(job, job.segments, SPECS)
    assert cast.line.spoken == "Schi has three cats."
    assert job.segments == segments


def test_another_dictionary_changes_only_the_lines_that_are_said_otherwise() -> None:
    texts = ("Xi is here.", "Nobody is here.", "It is Xi.")
    segments = tuple(
        Segment(id=f"{n}", start=3.0 * n, end=3.0 * n + 2, speaker="Ada", text=text)
        for n, text in enumerate(texts)
    )
    before = scene(segments=segments, pronunciations={"Xi": "Schi"})
    after = before.model_copy(update={"pronunciations": {"Xi": "Shee", "NASA": "Nassa"}})
    lines = zip(
        cast_lines(before, segments, SPECS), cast_lines(after, segments, SPECS), strict=True
    )
    assert [now.line.id for old, now in lines if now != old] == ["0", "2"]


def alone(job: Job, **own: object) -> Job:
    """Return a job whose first line asks for something of its own."""
    first, *others = job.segments
    return job.model_copy(update={"segments": (first.model_copy(update=own), *others)})


def test_a_line_may_have_a_voice_and_a_speed_of_its_own() -> None:
    job = alone(
        scene("Ada", "Ada", cast={"Ada": Role(voice="low", speed=1.1)}, engine="other"),
        voice="high",
        speed=0.9,
    )
    first, second = cast_lines(job, job.segments, SPECS)
    assert (first.voice, first.line.speed) == (VoiceRef(stock="high"), 0.9)
    assert (second.voice, second.line.speed) == (VoiceRef(stock="low"), 1.1)


def test_a_converter_keeps_the_other_half_of_a_lines_own_voice() -> None:
    job = scene("Ada", cast={"Ada": over(voice="low")})
    for own, voice in (
        ("high", VoiceRef(stock="high", digest=DIGEST, base="plain")),
        (OTHER, VoiceRef(stock="low", digest=OTHER, base="plain")),
    ):
        asked = alone(job, voice=own)
        assert cast_lines(asked, asked.segments, SPECS)[0].voice == voice
        assert (OTHER in asked.voice_digests) == (own == OTHER)


def test_a_voice_of_a_line_tells_nothing_about_its_speakers() -> None:
    job = alone(scene("Ada", "Ada"), voice="high")
    lines = cast_lines(job, job.segments, SPECS)
    found = {line.line.id: became(line) for line in lines}
    assert heard_voices(job, found) == {"Ada": lines[1].voice}


def test_another_engine_speaks_a_line_without_a_voice_that_it_lacks() -> None:
    job = alone(scene("Ada"), voice="low", speed=1.8)
    other = recast(job, job.segments, SPECS, "other").segments[0]
    assert (other.voice, other.speed) == (None, 1.8)
    assert (
        recast(alone(job, voice="high"), job.segments, SPECS, "other").segments[0].voice == "high"
    )
    assert recast(job, job.segments, SPECS, voice="high").segments[0].voice is None


def test_roles_without_a_voice_take_those_of_the_language_in_turn() -> None:
    languages = {"amy": "en-US", "jean": "fr", "marie": "fr"}
    specs = {"plain": spec("plain", voices=(*languages, "any"), voice_languages=languages)}

    def taken(language: str, **cast: Role) -> list[str | None]:
        voices = assign_voices(scene("Ada", "Bob", "Cyd", language=language, cast=cast), specs)
        return [voices[who].stock for who in ("Ada", "Bob", "Cyd")]

    assert taken("fr-CA", Bob=Role(voice="jean")) == ["marie", "jean", "any"]
    assert taken("en") == ["amy", "any", "amy"]
