"""The gender of a noun after a number, as far as its ending tells.

In some languages the number agrees with it: *una hora*, *две минуты*, *eine Stunde*.
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
"""Endings of Russian feminine nouns there; masculine ones end in those of `AFTER_ONE`."""
COMMON = frozenset(
    {
        *("euro", "dollar", "cent", "minut", "sekund", "grad", "liter", "procent"),
        *("millimeter", "centimeter", "meter", "kilometer"),
    }
)
"""Nouns of common gender in both Swedish and Danish."""
LISTED = {
    "fr": frozenset(
        {
            *("heure", "minute", "seconde", "tonne", "livre", "once", "couronne", "roupie"),
            *("année", "semaine", "journée", "nuit", "fois", "page", "personne", "femme", "fille"),
        }
    ),
    "sv": COMMON | {"krona", "timme"},
    "da": COMMON | {"krone", "time", "øre"},
}
"""Feminine nouns that are counted often, in languages whose endings do not tell; in Swedish and
Danish, nouns of common gender."""
NOT = frozenset(
    {
        *("día", "dia", "problema", "programa", "sistema", "tema", "idioma", "poema", "mapa"),
        *("planeta", "grama", "quilograma", "miligrama", "cometa", "drama", "clima"),
        *("ende", "auge", "junge", "name", "käse", "gebäude", "hase", "löwe", "affe", "kunde"),
        *("zeuge", "kollege", "experte", "buchstabe", "gedanke", "spion", "stadion"),
    }
)
"""Nouns that are not feminine but end like feminine ones."""


def is_feminine(language: str, noun: str, *, after_one: bool = True) -> bool:
    """Whether ``noun`` is feminine; False when that is unknown.

    after_one: whether the number ends in one, or the noun is singular.
    """
    if not noun:
        return False
    noun = noun.lower()
    singular = noun.removesuffix("s")
    if noun in NOT or singular in NOT:
        return False
    if language == "ru":
        return noun.endswith(AFTER_ONE if after_one else AFTER_TWO)
    known = LISTED.get(language, frozenset())
    return noun in known or singular in known or noun.endswith(ENDINGS.get(language, ()) or ("\0",))
