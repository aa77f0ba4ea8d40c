"""The configuration in the folder of a coqui-tts model, read without coqui-tts.

A published configuration contains paths of the machine that trained the model. Files with the same
names in the model's folder replace them.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from dubbing.engines.adapters._shared import does_not_speak
from dubbing.engines.engine import OVERRIDES, EngineSpec
from dubbing.engines.models.folders import read_config, within
from dubbing.errors import BadInput, EngineMissing
from dubbing.files import read_json

COQUI = ("TTS", "torch")
"""The modules that the extra installs, by import name."""
CONFIG = "config.json"
UNREAD = ("distributed_url", "logger_uri")
"""Settings for training, which hold addresses."""

SPEAKERS = ("speaker_ids.json", "speakers.pth", "speakers.json")
FILES = {
    "speakers_file": SPEAKERS,
    "speaker_file": SPEAKERS,
    "d_vector_file": ("speakers.json", "speakers.pth"),
    "language_ids_file": ("language_ids.json",),
}
"""Settings that contain a path, with the names under which such files are published."""

CHECKPOINTS = ("model.pth", "model_file.pth", "checkpoint.pth", "best_model.pth")
"""Names under which a model is published; a file with another name must be the only ``*.pth``."""
NOT_CHECKPOINTS = ("speakers.pth", "model_se.pth", "vocoder.pth")

# Tags without the usual region, and eSpeak's own name for Mandarin. Brazilian Portuguese keeps its
# region, because requests for Portuguese usually mean one of the two varieties.
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
"""The language of each text cleaner that is made for one language."""


def read_model_config(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """Return a configuration in which each file is an absolute path in ``folder``, or None.

    Raises BadInput when it contains an address, or a class that is not coqui-tts's own.
    """
    config = read_config(folder, name, UNREAD)
    for section in (config, config.get("model_args") or {}):
        for setting in FILES.keys() & section.keys():
            section[setting] = _in_folder(folder, setting, section[setting])
    # Statistics are dropped: those of old models are arrays that can only be unpickled.
    if isinstance(audio := config.get("audio"), dict):
        audio["stats_path"] = None
    characters = (config.get("characters") or {}).get("characters_class") or "TTS."
    if not characters.startswith("TTS."):
        raise BadInput(
            f"characters_class: {characters!r} is no class of coqui-tts", where=str(folder / name)
        )
    return config


def _in_folder(folder: Path, setting: str, value: object) -> str | None:
    """Return the file in ``folder`` that a setting refers to, or None."""
    if not value:
        return None
    named = value[0] if isinstance(value, list) else value
    # PureWindowsPath splits at both kinds of slash.
    names = (PureWindowsPath(str(named)).name, *FILES[setting])
    paths = (within(folder, name) for name in names if name and (folder / name).is_file())
    return next(map(str, paths), None)


def argument(config: Mapping[str, Any], name: str) -> Any:
    """Return a setting of the model's arguments, or of the configuration; None when unset."""
    arguments = config.get("model_args") or {}
    return arguments[name] if name in arguments else config.get(name)


def checkpoint(folder: Path) -> Path:
    """Return the file with the model's weights; raises EngineMissing if it is ambiguous."""
    for name in CHECKPOINTS:
        if (folder / name).is_file():
            return within(folder, name)
    names = [path.name for path in folder.glob("*.pth") if path.name not in NOT_CHECKPOINTS]
    if len(names) == 1:
        return within(folder, names[0])
    listed = ", ".join(sorted(names)) or "no *.pth"
    raise EngineMissing(
        f"which file of {folder} is the model? Name it model.pth: there is {listed}"
    )


def speaker_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the speakers of a model, in the order of their numbers; none for a single speaker."""
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
    """Return the names stripped, each once: some published names end in a line break."""
    return tuple(dict.fromkeys(name.strip() for name in names))


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON file, or in a file of plain values that torch wrote.

    Raises BadInput for any other file.
    """
    value = read_json(path) if path.suffix == ".json" else read_pickle(path)
    if not isinstance(value, dict):
        raise BadInput("it is no mapping of names", where=str(path))
    return value


class Plain(pickle.Unpickler):
    """Unpickles numbers, text, lists and mappings, and runs no code: it knows no class."""

    def find_class(self, module: str, name: str) -> Any:
        """Raise UnpicklingError."""
        raise pickle.UnpicklingError(f"it holds {module}.{name}, and not names and numbers alone")


def read_pickle(path: Path, reader: type[Plain] = Plain) -> object:
    """Return the object in a file that torch wrote, read without torch.

    Raises BadInput for objects that ``reader`` refuses.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            return reader(io.BytesIO(archive.read(member))).load()
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError, EOFError) as exc:
        raise BadInput(f"it cannot be read: {exc}", where=str(path)) from exc


def languages(config: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the model's own name of each of its languages, by BCP 47 tag.

    Raises BadInput when neither the configuration nor ``dubbing.json`` lists a language.
    """
    names = dict.fromkeys(_language_names(config))
    if names:
        return {bcp47(name): name for name in names}
    overrides = read_config(folder, OVERRIDES) if (folder / OVERRIDES).exists() else {}
    if overrides.get("languages"):
        return {tag: tag for tag in overrides["languages"]}
    raise BadInput(
        f'the language of the model is not given: write {OVERRIDES} beside it, as {{"languages": '
        '["de"]}',
        where=str(folder / CONFIG),
    )


def _language_names(config: Mapping[str, Any]) -> Iterator[str]:
    if argument(config, "use_language_embedding") and argument(config, "language_ids_file"):
        yield from read_mapping(Path(argument(config, "language_ids_file")))
    elif config.get("languages"):
        yield from config["languages"]
    elif any(names := [dataset.get("language") for dataset in config.get("datasets") or ()]):
        yield from sorted(filter(None, names))
    elif config.get("phoneme_language"):
        yield config["phoneme_language"]
    elif config.get("text_cleaner") in CLEANED_LANGUAGES:
        yield CLEANED_LANGUAGES[config["text_cleaner"]]


def own_language(spec: EngineSpec, languages: Mapping[str, str], tag: str) -> str:
    """Return the model's own name of the language ``tag``, with its region or else without.

    languages: the model's names by tag. A model of one language gets any requested language.
    Raises SpeechRejected for a language that the model does not speak.
    """
    for known in (tag, tag.split("-", maxsplit=1)[0]):
        if known in languages:
            return languages[known]
    if len(languages) > 1:
        raise does_not_speak(spec, tag)
    return next(iter(languages.values()))


def bcp47(name: str) -> str:
    """Return the BCP 47 tag of a language by coqui-tts's or eSpeak's name, such as ``fr-fr``."""
    language, _, region = name.lower().replace("_", "-").partition("-")
    if not region or region == language:
        return TAGS.get(language, language)
    return TAGS.get(f"{language}-{region}", f"{language}-{region.upper()}")
