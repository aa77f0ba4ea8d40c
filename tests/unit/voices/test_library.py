"""Stored voices: valid names, what they point to, and when a voice is deleted with its name."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from recordings import speech, write

from dubbing.documents import FORMAT
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import VoiceForm
from dubbing.errors import BadInput, Conflict, Damaged, NotFound
from dubbing.job import Job, Role, Segment
from dubbing.media.samples import Audio
from dubbing.planning.plan import CastLine, PlannedLine, Reason, Round, plan_round, write_plan
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.forms import voice_form
from dubbing.voices.library import Voices
from dubbing.voices.names import find, stored_voice, with_stored_voices
from dubbing.voices.store import load_voice
from dubbing.voices.voice import Voice, VoiceRef

PLAIN = Tone.spec.model_copy(
    update={"name": "plain", "clones": False, "reference_seconds": None, "voices": ("low", "high")}
)
PICKY = Tone.spec.model_copy(update={"name": "picky", "reference_seconds": (20.0, 60.0)})
SPECS = {"tone": Tone.spec, "plain": PLAIN, "picky": PICKY}
BAD_NAMES = ("../x", "a/b", "", ".", "..", "/etc/passwd", "a\0b", "x" * 101, "ada\n", "ä")


class Cloner(Tone):
    """Counts how often it derives a form."""

    def __init__(self, name: str, model: str) -> None:
        self.spec = Tone.spec.model_copy(update={"name": name})
        self.model = model
        self.derived = 0

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        self.derived += 1
        return {
            **super().extract(reference, transcript),
            "model": np.frombuffer(bytes.fromhex(self.model), np.uint8),
        }


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


@pytest.fixture
def voices(storage: Storage) -> Voices:
    return Voices(storage, lambda: SPECS)


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    return write(tmp_path / "ada.wav", speech("Annie"))


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return write(tmp_path / "bob.wav", speech("m3"))


def store_job(storage: Storage, id_: str, digest: str, *, revision: bool = False) -> None:
    line = Segment(id="1", start=0, end=1, text="Good day.")
    cast = {"speaker": Role(clone=digest)}
    job = Job(id=id_, language="en", segments=(line,), cast=cast)
    key = Keys.revision(id_, job.digest()) if revision else Keys.job(id_)
    storage.create(key, job.model_dump_json().encode())
    if revision:
        first = job.model_copy(update={"cast": {}})
        storage.create(Keys.job(id_), first.model_dump_json().encode())


def test_a_voice_is_stored_with_all_that_is_known_of_it(voices: Voices, ada: Path) -> None:
    made = voices.extract(
        "ada", [ada], transcript="You told me", language="EN-gb", consent="Ada L., for this film"
    )
    (listed,) = voices.all()
    assert listed.name == "ada"
    assert listed.voice == made.voice
    voice = listed.voice
    assert (voice.transcript, voice.language) == ("You told me", "en-GB")
    assert (voice.provenance, voice.consent) == (("ada.wav",), "Ada L., for this film")
    assert voice.created
    assert voice.judgement
    assert voice.judgement.speech > 8
    assert voice.seconds == pytest.approx(speech("Annie").seconds, abs=0.3)


def test_what_an_engine_needs_is_said_and_refused_where_it_is_named(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    with pytest.raises(BadInput, match=r"ada: engine 'picky' needs a reference of 20 to 60 s"):
        voices.extract("ada", [ada], engines=["picky"])
    with pytest.raises(BadInput, match="engine 'plain' does not clone voices"):
        voices.extract("ada", [ada], engines=["tone", "plain"])
    with pytest.raises(BadInput, match="no engine 'tnoe'; did you mean 'tone'"):
        voices.extract("ada", [ada], engines=["tnoe"])
    assert list(storage.keys("voices/")) == []
    assert voices.extract("ada", [ada], engines=["tone"]).doubts == ()
    (doubt,) = voices.extract("ada", [ada]).doubts
    assert "engine 'picky' needs a reference of 20 to 60 s" in doubt
    shown = voices.show("ada")
    assert shown.fits == ("tone",)
    assert shown.unfit == {"picky": doubt}


def test_the_needs_of_several_engines_are_one_doubt(storage: Storage, ada: Path) -> None:
    alike = PICKY.model_copy(update={"name": "alike"})
    wordy = PICKY.model_copy(update={"name": "wordy", "needs_transcript": True})
    voices = Voices(storage, lambda: SPECS | {"alike": alike, "wordy": wordy})
    made = voices.extract("ada", [ada])
    assert made.doubts == voices.show("ada").doubts
    (doubt,) = made.doubts
    assert doubt == (
        "3 engines cannot clone it: they need 20 to 60 s (alike, picky), its transcript (wordy), "
        f"and it lasts {made.voice.seconds:.1f} s"
    )
    assert list(voices.show("ada").unfit) == ["alike", "picky", "wordy"]


def test_a_name_keeps_its_voice_until_it_is_renamed_or_deleted(
    voices: Voices, ada: Path, bob: Path
) -> None:
    first = voices.extract("ada", [ada]).voice
    assert voices.extract("ada", [ada]).voice == first
    with pytest.raises(Conflict, match="'ada' belongs to another voice"):
        voices.extract("ada", [bob])
    with pytest.raises(Conflict, match="'ada' belongs to another voice"):
        voices.extract("ada", [ada], consent="for all films")
    assert [named.voice for named in voices.all()] == [first]


def test_a_renamed_voice_is_found_by_its_new_name_alone(
    voices: Voices, storage: Storage, ada: Path, bob: Path
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    voices.rename("ada", "countess")
    assert find(storage, "default", "countess") == digest
    assert find(storage, "default", digest) == digest
    with pytest.raises(NotFound, match="no voice 'ada'"):
        find(storage, "default", "ada")
    voices.extract("bob", [bob])
    with pytest.raises(Conflict, match="'bob' belongs to another voice"):
        voices.rename("countess", "bob")
    voices.rename("bob", "bob")
    assert [named.name for named in voices.all()] == ["bob", "countess"]


def test_a_voice_that_nobody_uses_goes_with_its_last_name(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    voices.extract("countess", [ada])
    tone = Cloner("tone", "ab" * 32)
    voice_form(storage, tone, digest)
    kept = voices.delete("ada")
    assert (kept.kept, kept.names, kept.forms) == (True, ("countess",), ())
    gone = voices.delete("countess")
    assert (gone.kept, gone.jobs) == (False, ())
    assert gone.forms == (f"tone-1-{tone.model}",)
    assert list(storage.keys("voices/")) == list(storage.keys("voice-names/")) == []
    with pytest.raises(NotFound, match="no voice 'countess'"):
        voices.delete("countess")


@pytest.mark.parametrize("revision", [False, True])
def test_a_voice_that_a_job_uses_stays_without_its_name(
    voices: Voices, storage: Storage, ada: Path, revision: bool
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    store_job(storage, "film", digest, revision=revision)
    store_job(storage, "other", "cd" * 32)
    assert voices.show("ada").jobs == ("film",)
    deleted = voices.delete("ada")
    assert (deleted.kept, deleted.jobs) == (True, ("film",))
    assert load_voice(storage, digest).digest == digest
    assert voices.all() == []
    assert voices.show(digest).names == ()


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_cannot_be_a_name_reaches_no_file(
    voices: Voices, storage: Storage, tmp_path: Path, ada: Path, name: str
) -> None:
    (tmp_path / "x").write_text("ab" * 32)
    digest = voices.extract("ada", [ada]).voice.digest
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(BadInput, match="cannot name a voice"):
        voices.extract(name, [ada])
    with pytest.raises(BadInput, match="cannot name a voice"):
        voices.rename("ada", name)
    for ask in (voices.show, voices.delete, lambda bad: voices.rename(bad, "eve")):
        with pytest.raises(NotFound, match="there is no voice"):
            ask(name)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert find(storage, "default", "ada") == digest


def test_a_digest_names_no_other_voice(voices: Voices, ada: Path) -> None:
    with pytest.raises(BadInput, match="cannot name a voice"):
        voices.extract("ab" * 32, [ada])


def test_a_name_that_points_nowhere_is_said_and_does_not_hide_the_others(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    voices.extract("ada", [ada])
    storage.create(Keys.voice_name("lost"), b"ab" * 32)
    storage.create(Keys.voice_name("damaged"), b"../../etc")
    with pytest.raises(NotFound, match="there is no voice 'abab"):
        voices.show("lost")
    with pytest.raises(Damaged, match=f"{Keys.voice_name('damaged')}.*damaged"):
        voices.show("damaged")
    assert voices.show("ada").names == ("ada",)
    assert [named.name for named in voices.all()] == ["ada"]


def test_a_voice_that_an_earlier_version_stored_is_read(voices: Voices, storage: Storage) -> None:
    digest = "ab" * 32
    old = {"digest": digest, "seconds": 8.0, "transcript": "Good day."}
    storage.create(Keys.voice(digest), json.dumps(old).encode())
    storage.create(Keys.voice_name("old"), digest.encode())
    (named,) = voices.all()
    assert named.voice == Voice(digest=digest, seconds=8.0, transcript="Good day.")


def test_a_voice_of_a_newer_release_hides_no_other_one(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    voices.extract("ada", [ada])
    digest = "ab" * 32
    newer = {"digest": digest, "seconds": 8.0, "transcript": "", "format": FORMAT + 1}
    storage.create(Keys.voice(digest), json.dumps(newer).encode())
    storage.create(Keys.voice_name("newer"), digest.encode())
    assert [named.name for named in voices.all()] == ["ada"]


def test_a_cast_means_the_voice_of_its_engine_first_and_then_a_stored_one(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    digest = voices.extract("low", [ada]).voice.digest
    voices.extract("ada", [ada])
    lines = [
        Segment(id=str(n), start=n, end=n + 1, speaker=speaker, text="Good day.")
        for n, speaker in enumerate("ABCDE")
    ]
    cast = {
        "A": ManifestRole(voice="low"),
        "B": ManifestRole(voice="ada"),
        "C": ManifestRole(voice="nobody"),
        "D": ManifestRole(voice="../low"),
        "E": ManifestRole(voice=digest, speed=1.2),
    }
    job = Manifest(language="en", engine="tone", segments=tuple(lines), cast=cast)
    assert with_stored_voices(job, SPECS, partial(stored_voice, storage, "default")).cast == {
        "A": cast["A"],
        "B": ManifestRole(reference=digest),
        "C": cast["C"],
        "D": cast["D"],
        "E": ManifestRole(reference=digest, speed=1.2),
    }


def test_each_tenant_has_names_of_its_own_for_voices_that_they_share(
    voices: Voices, storage: Storage, ada: Path, bob: Path
) -> None:
    acme = Voices(storage, lambda: SPECS, "acme")
    digest = voices.extract("ada", [ada]).voice.digest
    assert acme.extract("ada", [bob]).voice.digest != digest
    acme.extract("countess", [ada])
    # A voice may have the name of a tenant.
    voices.extract("acme", [bob])
    assert [named.name for named in voices.all()] == ["acme", "ada"]
    assert [named.name for named in acme.all()] == ["ada", "countess"]
    assert stored_voice(storage, "default", "countess") is None
    with pytest.raises(NotFound, match="no voice 'countess'"):
        voices.delete("countess")
    assert voices.show("ada").names == ("ada", "acme/countess")
    assert voices.delete("ada").names == ("acme/countess",)
    acme.rename("countess", "mara")
    assert acme.get("mara").voice.digest == digest
    assert not acme.delete("mara").kept


def test_a_form_is_derived_once_for_an_engine_and_again_for_another_model(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    one, two = Cloner("one", "ab" * 32), Cloner("two", "ab" * 32)
    for engine in (one, two, one, two):
        assert voice_form(storage, engine, digest)["model"][0] == 0xAB
    assert (one.derived, two.derived) == (1, 1)
    one.model = "cd" * 32
    for _ in range(2):
        assert voice_form(storage, one, digest)["model"][0] == 0xCD
    assert (one.derived, two.derived) == (2, 1)
    forms = {f"one-1-{'ab' * 32}", f"one-1-{'cd' * 32}", f"two-1-{'ab' * 32}"}
    assert set(voices.show("ada").forms) == forms


def test_a_voice_that_lost_its_name_is_deleted_by_its_digest(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    # The state that an interrupted deletion leaves.
    storage.delete(Keys.voice_name("ada"))
    assert not voices.delete(digest).kept
    assert not list(storage.keys(Keys.voice_folder(digest)))
    with pytest.raises(NotFound):
        voices.delete(digest)


def plan_naming(digest: str) -> bytes:
    """Return the plan of a retry that takes a stored voice."""
    line = PlannedLine(id="1", spoken="Good day.", speed=1, room=2, max_rate=1.25)
    lines = [CastLine("tone", VoiceRef(digest=digest), line)]
    round_ = Round(reason=Reason.RETRY, asked=2)
    return write_plan(round_, plan_round(lines, "en", {"tone": Tone.spec}))


def test_a_voice_that_the_plan_of_a_retry_alone_names_is_kept(
    voices: Voices, storage: Storage, ada: Path
) -> None:
    digest = voices.extract("ada", [ada]).voice.digest
    store_job(storage, "film", "cd" * 32)
    storage.create(Keys.plan("film", 2), plan_naming(digest))
    deleted = voices.delete("ada")
    assert (deleted.kept, deleted.jobs) == (True, ("film",))
    assert load_voice(storage, digest).digest == digest
