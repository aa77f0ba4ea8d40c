"""What the folder of a coqui-tts model says of it, read without coqui-tts.

A published configuration names files by their paths on the machine that trained the model: in
their place, files of the same names are taken from the model's folder.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from dubbing.documents import read_json
from dubbing.engines.adapters._shared import does_not_speak
from dubbing.engines.engine import OVERRIDES, EngineSpec
from dubbing.engines.models.folders import read_config, within
from dubbing.errors import BadInput, EngineMissing

CONFIG = "config.json"
UNREAD = ("distributed_url", "logger_uri")
"""Settings of every training, which are addresses."""

SPEAKERS = ("speaker_ids.json", "speakers.pth", "speakers.json")
FILES = {
    "speakers_file": SPEAKERS,
    "speaker_file": SPEAKERS,
    "d_vector_file": ("speakers.json", "speakers.pth"),
    "language_ids_file": ("language_ids.json",),
}
"""Settings that name a file, and the names under which such files are published."""

CHECKPOINTS = ("model.pth", "model_file.pth", "checkpoint.pth", "best_model.pth")
"""Names under which a model is published; one that has another must be alone."""
NOT_CHECKPOINTS = ("speakers.pth", "model_se.pth", "vocoder.pth")

# A region that goes without saying, and what eSpeak calls otherwise. Brazilian Portuguese keeps
# its region, as few who ask for Portuguese mean either.
TAGS = {"en-us": "en", "zh-cn": "zh", "ja-jp": "ja", "ko-kr": "ko", "cmn": "zh"}
CLEANED_LANGUAGES = {
    "english_cleaners": "en",
    "basic_german_cleaners": "de",
    "basic_turkish_cleaners": "tr",
    "french_cleaners": "fr",
    "italian_cleaners": "it",
    "portuguese_cleaners": "pt",
    "chinese_mandarin_cleaners": "zh",
}
"""The languages for which a text is cleaned in a way of its own."""


def read_model_config(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """Return a configuration whose files are absolute paths in ``folder``, or None.

    Raises BadInput when it names an address, or a class that is not coqui-tts's own.
    """
    config = read_config(folder, name, UNREAD)
    for section in (config, config.get("model_args") or {}):
        for setting in FILES.keys() & section.keys():
            section[setting] = _in_folder(folder, setting, section[setting])
    # Old ones are arrays that are only read by unpickling.
    if isinstance(audio := config.get("audio"), dict):
        audio["stats_path"] = None
    characters = (config.get("characters") or {}).get("characters_class") or "TTS."
    if not characters.startswith("TTS."):
        raise BadInput(
            f"characters_class: {characters!r} is no class of coqui-tts", where=str(folder / name)
        )
    return config


def _in_folder(folder: Path, setting: str, value: object) -> str | None:
    """Return the file in ``folder`` that a setting stands for, if there is one."""
    if not value:
        return None
    named = value[0] if isinstance(value, list) else value
    # Understands both kinds of slash.
    names = (PureWindowsPath(str(named)).name, *FILES[setting])
    found = (within(folder, name) for name in names if name and (folder / name).is_file())
    return next(map(str, found), None)


def argument(config: Mapping[str, Any], name: str) -> Any:
    """Return a setting of the model's arguments, or of the configuration; None when unset."""
    arguments = config.get("model_args") or {}
    return arguments[name] if name in arguments else config.get(name)


def checkpoint(folder: Path) -> Path:
    """Return the file with the model's weights; raises EngineMissing unless one can be told."""
    for name in CHECKPOINTS:
        if (folder / name).is_file():
            return within(folder, name)
    found = [path.name for path in folder.glob("*.pth") if path.name not in NOT_CHECKPOINTS]
    if len(found) == 1:
        return within(folder, found[0])
    listed = ", ".join(sorted(found)) or "no *.pth"
    raise EngineMissing(
        f"which file of {folder} is the model? Name it model.pth: there is {listed}"
    )


def speaker_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the speakers of a model, in the order of their numbers; none for a single one."""
    if argument(config, "use_speaker_embedding"):
        if config.get("speakers"):
            return _stripped(config["speakers"])
        path = argument(config, "speaker_file") or argument(config, "speakers_file")
        numbers = read_mapping(Path(path)) if path else {}
        return _stripped(sorted(numbers, key=lambda name: numbers[name]))
    if path := argument(config, "d_vector_file"):
        return _stripped(sorted(entry["name"] for entry in read_mapping(Path(path)).values()))
    return ()


def _stripped(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once: some that are published end in a line break."""
    return tuple(dict.fromkeys(name.strip() for name in names))


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file, or of one that torch wrote and that holds plain values.

    Raises BadInput for any other.
    """
    value = read_json(path) if path.suffix == ".json" else read_pickle(path)
    if not isinstance(value, dict):
        raise BadInput("it does not map names to anything", where=str(path))
    return value


class Plain(pickle.Unpickler):
    """Reads numbers, text, lists and mappings, and runs nothing: it knows no class or function."""

    def find_class(self, module: str, name: str) -> Any:
        """Raise UnpicklingError."""
        raise pickle.UnpicklingError(f"it holds {module}.{name}, and not names and numbers alone")


def read_pickle(path: Path, reader: type[Plain] = Plain) -> object:
    """Return what torch wrote, read without torch; raises BadInput for what ``reader`` refuses."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            return reader(io.BytesIO(archive.read(member))).load()
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError, EOFError) as exc:
        raise BadInput(f"it cannot be read: {exc}", where=str(path)) from exc


def languages(config: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return what the model calls each of its languages, by BCP 47 tag.

    Raises BadInput when neither the configuration nor ``dubbing.json`` tells any.
    """
    own = dict.fromkeys(_language_names(config))
    if own:
        return {bcp47(name): name for name in own}
    told = read_config(folder, OVERRIDES) if (folder / OVERRIDES).exists() else {}
    if told.get("languages"):
        return {tag: tag for tag in told["languages"]}
    raise BadInput(
        f'the language of the model is not told: write {OVERRIDES} beside it, as {{"languages": '
        '["de"]}',
        where=str(folder / CONFIG),
    )


def _language_names(config: Mapping[str, Any]) -> Iterator[str]:
    if argument(config, "use_language_embedding") and argument(config, "language_ids_file"):
        yield from read_mapping(Path(argument(config, "language_ids_file")))
    elif config.get("languages"):
        yield from config["languages"]
    elif any(found := [dataset.get("language") for dataset in config.get("datasets") or ()]):
        yield from sorted(filter(None, found))
    elif config.get("phoneme_language"):
        yield config["phoneme_language"]
    elif config.get("text_cleaner") in CLEANED_LANGUAGES:
        yield CLEANED_LANGUAGES[config["text_cleaner"]]


def own_language(spec: EngineSpec, languages: Mapping[str, str], tag: str) -> str:
    """Return what a model calls a language: of its own ones, the nearest to a region.

    languages: what it calls each, by tag. Raises SpeechRejected for one that it does not speak; a
    model of one language is taken to speak what it is asked.
    """
    for own in (tag, tag.split("-", maxsplit=1)[0]):
        if own in languages:
            return languages[own]
    if len(languages) > 1:
        raise does_not_speak(spec, tag)
    return next(iter(languages.values()))


def bcp47(name: str) -> str:
    """Return the BCP 47 tag of what coqui-tts or eSpeak calls a language, such as ``fr-fr``."""
    language, _, region = name.lower().replace("_", "-").partition("-")
    if not region or region == language:
        return TAGS.get(language, language)
    return TAGS.get(f"{language}-{region}", f"{language}-{region.upper()}")
