"""Whether a noun behind a number is feminine, as far as its ending tells.

The number agrees with it in some languages: *una hora*, *две минуты*, *eine Stunde*.
"""

from __future__ import annotations

ENDINGS: dict[str, tuple[str, ...]] = {
    "de": ("e", "ung", "heit", "keit", "schaft", "ion"),
    **dict.fromkeys(("es", "pt", "ca", "it"), ("a", "as")),
    **dict.fromkeys(("pl", "cs", "sk", "hr", "ro"), ("a",)),
    **dict.fromkeys(("uk", "bg"), ("а", "я")),
}
AFTER_ONE = ("а", "я")
AFTER_TWO = ("ы", "и")
"""How Russian feminine nouns end there; masculine ones end in the other's vowels."""
LISTED = {
    "fr": frozenset(
        {
            *("heure", "minute", "seconde", "tonne", "livre", "once", "couronne", "roupie"),
            *("année", "semaine", "journée", "nuit", "fois", "page", "personne", "femme", "fille"),
        }
    )
}
"""Where no ending tells: those that are counted most."""
NOT = frozenset(
    {
        *("día", "dia", "problema", "programa", "sistema", "tema", "idioma", "poema", "mapa"),
        *("planeta", "grama", "quilograma", "miligrama", "cometa", "drama", "clima"),
        *("ende", "auge", "junge", "name", "käse", "gebäude", "hase", "löwe", "affe", "kunde"),
        *("zeuge", "kollege", "experte", "buchstabe", "gedanke", "spion", "stadion"),
    }
)
"""Nouns that end like feminine ones."""


def is_feminine(language: str, noun: str, *, after_one: bool = True) -> bool:
    """Whether ``noun`` is feminine; False where nothing tells.

    after_one: whether the number ends in one, or the noun is that of one thing.
    """
    noun = noun.lower()
    singular = noun.removesuffix("s")
    if noun in NOT or singular in NOT:
        return False
    if language == "ru":
        return noun.endswith(AFTER_ONE if after_one else AFTER_TWO)
    known = LISTED.get(language, frozenset())
    return noun in known or singular in known or noun.endswith(ENDINGS.get(language, ()) or ("\0",))
