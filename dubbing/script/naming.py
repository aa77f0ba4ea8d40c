"""The names of scripts: the languages in them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import langcodes

FLAGS = frozenset({"forced", "foreign", "sdh", "cc", "hi", "default", "full"})
"""Parts of subtitles' names that are not languages. ``hi`` without a language is Hindi."""


def plain(stem: str) -> str:
    """Return a name for comparison: file systems differ in case and in the coding of accents."""
    return unicodedata.normalize("NFC", stem).casefold()


def language_of(path: Path) -> str:
    """Return the language at the end of a file's name, such as ``film.de.srt``; ``""`` for none."""
    return ending_language(plain(path.stem))


def ending_language(stem: str) -> str:
    """Return the language at the end of a script's `plain` name, after a dot; ``""`` for none."""
    _, *parts = stem.split(".")
    endings = (suffix_language(f".{'.'.join(parts[at:])}") for at in range(len(parts)))
    return next((language for language in endings if language is not None), "")


def suffix_language(suffix: str) -> str | None:
    """Return the language in the end of a name, such as ``.pt-BR.forced``.

    ``""`` if the suffix names no language, None if it holds anything but languages and flags.
    """
    if suffix and suffix[0] not in "._- ":
        return None
    language = ""
    for token in re.split(r"[.\s]+", suffix.strip("._- ")) if suffix else ():
        parts = token.replace("_", "-").split("-")
        while len(parts) > 1 and parts[-1] in FLAGS:
            parts.pop()
        if len(parts) == 1 and parts[0] in FLAGS and (language or parts != ["hi"]):
            continue
        found = _language("-".join(parts))
        if found is None:
            return None
        language = found
    return language


@lru_cache(maxsize=4096)
def _language(tag: str) -> str | None:
    """Return the standard form of a language tag or English name; None if it is neither.

    A tag of three letters counts only if it has a shorter form or many speakers, because nearly any
    three letters are the tag of some language.
    """
    if not langcodes.tag_is_valid(tag):
        return _by_name().get(tag)
    first, _, rest = tag.partition("-")
    short = langcodes.standardize_tag(first, macro=len(first) == 3)
    if len(short) > 2 and short not in {"fil", "yue"}:
        return _by_name().get(tag)
    return langcodes.standardize_tag(f"{short}-{rest}" if rest else short)


@cache
def _by_name() -> dict[str, str]:
    """Return language tags by the casefolded English names of the languages."""
    # Few files need this table, and it is slow to load.
    from babel import Locale

    names = Locale("en").languages
    return {name.casefold(): code.replace("_", "-") for code, name in names.items()}
