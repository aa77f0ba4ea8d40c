"""A film's sound without its voices, by the real code of Demucs with a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny import demucs as tiny

from dubbing.assembly.demucs import Separator
from dubbing.assembly.separation import overlapped, without_voices
from dubbing.engines.catalogue import Catalogue
from dubbing.errors import BadInput, EngineFailed, EngineMissing, WorkerEnds
from dubbing.job import Background, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples, level
from dubbing.script.manifest import Manifest
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.submission.submit import Checker

MODEL_RATE = 44_100


class Deaf:
    """Takes everything that it hears for voices."""

    rate = MODEL_RATE
    window = MODEL_RATE

    def voices(self, sound: Samples) -> Samples:
        assert sound.shape[1] == 2
        assert len(sound) <= self.window
        return sound


@pytest.fixture(scope="module")
def separator(tmp_path_factory: pytest.TempPathFactory) -> Separator:
    folder = tmp_path_factory.mktemp("demucs")
    tiny.make(folder)
    return Separator(folder, "cpu")


def blocks(sound: Samples, size: int = 5 * RATE) -> Iterator[Samples]:
    return iter([sound[first : first + size] for first in range(0, len(sound), size)])


def noise(seconds: float, channels: int, rate: int = RATE) -> Samples:
    shape = (round(seconds * rate), channels)
    return (0.1 * np.random.default_rng(3).standard_normal(shape)).astype(np.float32)


def tones(seconds: float, channels: int) -> Samples:
    """Return a tone of another pitch in each channel."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitches = 300.0 * np.arange(1, channels + 1)
    return (0.3 * np.sin(2 * np.pi * pitches * time[:, None])).astype(np.float32)


def nothing() -> None:
    pass


@pytest.mark.parametrize("seconds", [0.0001, 0.5, 1.0, 1.75, 1.7501, 7.3])
@pytest.mark.parametrize("size", [313, 48_000])
def test_windows_that_overlap_are_put_together_as_they_were(seconds: float, size: int) -> None:
    sound = noise(seconds, 2)

    whole = np.concatenate(list(overlapped(blocks(sound, size), RATE, np.copy)))

    np.testing.assert_allclose(whole, sound, atol=1e-6)


@pytest.mark.parametrize(("channels", "kept"), [(1, []), (2, []), (6, [3])])
def test_voices_are_taken_out_of_the_frames_in_which_they_sound(
    channels: int, kept: list[int]
) -> None:
    sound = tones(7.3, channels)

    rest = np.concatenate(
        list(without_voices(blocks(sound), Deaf(), channels=channels, check=nothing))
    )

    assert rest.shape == sound.shape
    np.testing.assert_array_equal(rest[:, kept], sound[:, kept])
    taken = [channel for channel in range(channels) if channel not in kept]
    # A shift by one frame would leave -28 dB of the lowest tone.
    inner = rest[RATE // 10 : -RATE // 10, taken]
    assert level(inner.ravel()) < level(sound.ravel()) - 80


def test_a_film_in_windows_is_separated_as_the_library_separates_it_whole(
    separator: Separator,
) -> None:
    import torch
    from demucs_infer.apply import apply_model

    sound = noise(4.6, 2, MODEL_RATE)
    with separator.loaded() as model:
        ours = np.concatenate(list(overlapped(blocks(sound), model.window, model.voices)))
        library = apply_model(model._model, torch.from_numpy(sound.T.copy())[None], shifts=0)

    theirs = library[0, tiny.SOURCES.index("vocals")].numpy().T
    # The library hears the last, shorter window after some sound before it, and we silence after.
    same = slice(0, 3 * model.window)
    assert level(theirs[same].ravel()) > -80
    np.testing.assert_allclose(ours[same], theirs[same], atol=1e-5)


def test_separation_stops_between_two_windows(separator: Separator) -> None:
    def stop() -> None:
        raise WorkerEnds("stop")

    with separator.loaded() as model, pytest.raises(WorkerEnds):
        list(without_voices(blocks(noise(3, 2)), model, channels=2, check=stop))


def test_a_model_is_loaded_as_weights_of_demucs_alone(tmp_path: Path) -> None:
    tiny.make(tmp_path, klass="subprocess.Popen")

    with pytest.raises(EngineFailed, match=r"model\.safetensors cannot be loaded: .*Popen"):
        Separator(tmp_path).loaded().__enter__()


def test_a_model_that_hears_no_voices_or_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tiny.make(tmp_path, sources=["drums", "bass"])
    with pytest.raises(EngineFailed, match="'vocals' is not in list"):
        Separator(tmp_path).loaded().__enter__()

    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(EngineFailed, match=r"model\.safetensors cannot be loaded"):
        Separator(tmp_path).loaded().__enter__()


def test_a_machine_without_a_model_says_how_to_get_one(
    separator: Separator, tmp_path: Path
) -> None:
    assert not separator.missing()
    with pytest.raises(EngineMissing, match=r"run `dubbing models fetch demucs`, and retry"):
        Separator(tmp_path).loaded().__enter__()

    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").touch()
    assert Separator(tmp_path).missing() == f"keep one of the 2 models in {tmp_path}"


def test_a_job_is_refused_unless_a_film_can_be_separated_here_or_by_a_worker(
    separator: Separator, tmp_path: Path
) -> None:
    line = Segment(id="1", start=0, end=2, text="A line.")
    storage = Storage.at(str(tmp_path / "storage"))
    media = Path(storage.url) / "media/film.wav"
    media.parent.mkdir(parents=True)
    import soundfile

    soundfile.write(media, noise(2, 2), RATE)
    job = Manifest(
        language="en", segments=(line,), media=str(media), background=Background(mode="separate")
    )

    checker = Checker(storage=storage, catalogue=Catalogue(), engine="tone")
    with pytest.raises(BadInput, match=r"no assembly worker .* `dubbing models fetch demucs`"):
        checker.check(job)
    Checker(storage=storage, catalogue=Catalogue(), engine="tone", separator=separator).check(job)
    storage.create(Keys.SEPARATION, b"")
    checker.check(job)

    with pytest.raises(BadInput, match="name the media"):
        checker.check(job.model_copy(update={"media": None}))
