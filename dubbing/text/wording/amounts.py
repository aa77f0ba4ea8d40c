"""Amounts with a unit or a currency, in CLDR's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from dubbing.text.wording import habits
from dubbing.text.wording.gender import is_feminine
from dubbing.text.wording.numerals import Numerals
from dubbing.text.wording.rule import ALONE, END, OVER, TILDES, Rule, one_of, rule

UNITS = {
    "km/h": "speed-kilometer-per-hour", "kmh": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second", "mph": "speed-mile-per-hour",
    "km²": "area-square-kilometer", "m²": "area-square-meter", "cm²": "area-square-centimeter",
    "m³": "volume-cubic-meter", "cm³": "volume-cubic-centimeter", "ha": "area-hectare",
    "km": "length-kilometer", "m": "length-meter", "dm": "length-decimeter",
    "cm": "length-centimeter", "mm": "length-millimeter", "µm": "length-micrometer",
    "μm": "length-micrometer", "nm": "length-nanometer", "ft": "length-foot", "mi": "length-mile",
    "yd": "length-yard", "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram",
    "lb": "mass-pound", "lbs": "mass-pound", "oz": "mass-ounce",
    "l": "volume-liter", "L": "volume-liter", "dl": "volume-deciliter", "cl": "volume-centiliter",
    "ml": "volume-milliliter", "mL": "volume-milliliter",
    "h": "duration-hour", "min": "duration-minute", "sec": "duration-second",
    "ms": "duration-millisecond", "kWh": "energy-kilowatt-hour", "kcal": "energy-kilocalorie",
    "kJ": "energy-kilojoule", "W": "power-watt", "kW": "power-kilowatt", "MW": "power-megawatt",
    "GW": "power-gigawatt", "V": "electric-volt", "mA": "electric-milliampere",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "kB": "digital-kilobyte", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "hPa": "pressure-hectopascal", "mbar": "pressure-millibar",
    "°C": "temperature-celsius", "℃": "temperature-celsius", "°F": "temperature-fahrenheit",
    "℉": "temperature-fahrenheit", "°": "angle-degree", "%": "concentr-percent",
    "٪": "concentr-percent", "‰": "concentr-permille",
}  # fmt: skip
"""CLDR's unit by its written sign."""
SPACED = {"s": "duration-second", "t": "mass-tonne"}
"""Units that need a space before them: without one they look like an ending."""

CURRENCIES = {
    "US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY", "₹": "INR",
    "₽": "RUB", "₺": "TRY", "₩": "KRW", "₴": "UAH", "₪": "ILS", "R$": "BRL", "zł": "PLN",
    "Kč": "CZK",
}  # fmt: skip
CROWNS = {"sv": "SEK", "da": "DKK", "no": "NOK"}
"""The currency of ``kr`` by language."""
CODES = (
    *("USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "RUB", "TRY", "PLN", "CZK", "SEK", "NOK"),
    *("DKK", "CAD", "AUD", "BRL", "MXN", "KRW", "HUF", "UAH"),
)
"""ISO 4217 codes; a code names its country, a sign does not."""
NOUN_FIRST = frozenset({"fr", "es", "it", "pt", "ca", "ro", "pl", "ru", "uk"})
"""Languages in which a currency's country follows its noun."""
SPELLED = frozenset({"en", "de", "nl", "sv", "da", "no", "cs", "sk", "fi", "hu", "tr"})
"""Languages in which the country precedes the noun."""
ADJECTIVE = re.compile(r"[сц]ь?к(?:ий|ая|ие|их|ого|ой|а|і|ої)$")
"""The ending of a country before a currency's noun, in Russian and Ukrainian."""
POSSESSIVE = re.compile(r"(?<=[aeıioöuü])s[ıiuü]$|[ıiuü]$")
"""The Turkish suffix of a currency after a country's name."""
MARK = r"(?:[\"”″]|['’′]{2})"
FEET_AND_INCHES = (
    rf"{ALONE}(?P<feet>\d{{1,2}})\s?['’′](?!\s(?!\d{{1,2}}(?:½|\s1/2)?\s?{MARK}))\s?"
    rf"(?P<inches>1[01]|\d)(?P<half>½|\s1/2)?(?:\s?{MARK}|{END}(?!['’′½]|[/.,:]\d))"
)
"""The mark of inches may be missing where no space precedes them."""
CENTS = {
    "en": " and ", "de": " ", "fr": " ", "nl": " ", "es": " con ", "it": " e ", "pt": " e ",
    "ca": " amb ", "el": " και ", "hr": " i ", "sv": " och ", "da": " og ", "no": " og ",
    "fi": " ", "tr": " ", "pl": " ", "cs": " ", "sk": " ", "ru": " ", "uk": " ",
}  # fmt: skip
"""The word between whole units of money and hundredths."""
UNNAMED_CENTS = frozenset({"de", "fr", "nl", "es", "it", "pt"})
"""Languages that give only the number of the hundredths after whole units: *drei Euro fünfzig*."""
PLURALS = {"one": 0, "few": 1}
"""The place of CLDR's plural categories among the forms of a noun; all others have the last."""


def amount_rules(numerals: Numerals) -> Iterator[Rule]:
    """Yield the rules for money, units and percent."""
    amounts = _Amounts(numerals)
    number = rf"(?P<low>{numerals.number})(?:\s?[-–—{TILDES}]\s?(?P<high>{numerals.number}))?(?!\d)"
    scale = habits.SCALES.get(numerals.language, {})
    scaled = rf"(?:\s?(?P<scale>{one_of(scale)}){END})?" if scale else "(?P<scale>(?!))?"
    money = one_of([*CURRENCIES, *CODES, "kr"])
    yield rule(rf"(?<!\w)(?P<money>{money})\s?{number}{scaled}{OVER}", amounts.money)
    yield rule(rf"{ALONE}{number}{scaled}\s?(?P<money>{money})(?!\w)", amounts.money)
    unit = rf"\s?(?P<unit>{one_of(amounts.signs)}|(?<=\s){one_of(SPACED)})(?![\w²³])(?!/\w)"
    below = r"(?P<minus>(?<![^\s(])[-−–](?=[^°℃℉]{0,40}[°℃℉]))?"
    yield rule(rf"{below}{ALONE}{number}{unit}", amounts.unit)
    if numerals.language == "en":
        yield rule(FEET_AND_INCHES, amounts.height)
    if numerals.language == "tr":
        yield rule(rf"(?P<minus>(?!))?(?P<unit>%){number}{OVER}", amounts.unit)


class _Amounts:
    def __init__(self, numerals: Numerals) -> None:
        self._say = numerals
        self._locale = numerals.locale
        self.signs = {**self._own_signs(), **UNITS}
        """CLDR's unit by written sign, both international signs and this language's own."""

    def unit(self, match: re.Match[str]) -> str | None:
        unit = self.signs.get(match["unit"]) or SPACED[match["unit"]]
        pattern = self._pattern(unit, self._value(match))
        one = self._pattern(unit, Decimal(1))
        if pattern is None or one is None:
            return None
        amount = self._amount(match, (one.replace("{}", "").split() or [""])[0])
        minus = self._say.minus if match["minus"] else ""
        return amount and pattern.replace("{}", f"{minus}{amount}")

    def height(self, match: re.Match[str]) -> str:
        """Return feet and inches in words, as English gives people's heights."""
        half = " and a half" if match["half"] else ""
        inches = self._say.read(match["inches"])
        return f"{self._say.read(match['feet'])} foot {inches}{half}"

    def _own_signs(self) -> dict[str, str]:
        from babel.units import UnknownUnitError, format_unit

        own: dict[str, str] = {}
        for unit in dict.fromkeys(UNITS.values()):
            try:
                phrase = format_unit(7, unit, "short", locale=self._locale)
            except UnknownUnitError:
                continue
            sign = phrase.replace("7", "").strip()
            if sign.isalpha():
                own[sign] = unit
        return own

    def _pattern(self, unit: str, value: Decimal) -> str | None:
        """Return the unit's name in the form for ``value``, with ``{}`` for the number."""
        from babel.numbers import format_decimal
        from babel.units import UnknownUnitError, format_unit

        try:
            phrase = format_unit(value, unit, "long", locale=self._locale)
        except (UnknownUnitError, InvalidOperation):
            # InvalidOperation: the number has more digits than babel can round.
            return None
        name = " ".join(phrase.replace(format_decimal(value, locale=self._locale), "{}").split())
        # A name with signs in it cannot be spoken.
        sayable = all(c.isalpha() or c in " -'’" for c in name.replace("{}", ""))
        return name if sayable and "{}" in name and name != "{}" else None

    def money(self, match: re.Match[str]) -> str | None:
        names = self._names(match)
        if names is None:
            return None
        name, noun = names
        language = self._say.language
        if scale := habits.SCALES.get(language, {}).get(match["scale"] or ""):
            amount = self._amount(match, "")
            of = "" if scale == "mil" else habits.OF_SCALE.get(language, "")
            if language == "fr" and name[:1] in "aeiou":
                of = "d'"
            return amount and f"{amount} {scale} {of}{name}"
        if self._is_price(match) and (price := self._price(match, name, noun)):
            return price
        amount = self._amount(match, noun)
        return amount and f"{amount}{self._say.space}{name}"

    def _is_price(self, match: re.Match[str]) -> bool:
        """Whether an amount is spoken as whole units and hundredths."""
        if match["high"] is not None or len(self._say.split(match["low"])[2]) != 2:
            return False
        return self._say.language in UNNAMED_CENTS or bool(self._cents(match))

    def _price(self, match: re.Match[str], name: str, noun: str) -> str | None:
        """Return a price in words; None for hundredths alone that have no name."""
        language = self._say.language
        whole, _, cents = self._say.split(match["low"])
        named = self._hundredths(match, int(cents))
        if int(whole) == 0 < int(cents):
            return named
        units = self._say.read(whole, counting=True, feminine=is_feminine(language, noun))
        rest = self._say.say(int(cents)) if language in UNNAMED_CENTS else named
        if units is None or rest is None:
            return None
        return f"{units} {name}{CENTS[language]}{rest}" if int(cents) else f"{units} {name}"

    def _hundredths(self, match: re.Match[str], count: int) -> str | None:
        """Return a number of cents or pence with their name; None for a currency without one."""
        forms = self._cents(match)
        if not forms:
            return None
        feminine = is_feminine(self._say.language, forms[0])
        said = self._say.read(str(count), counting=True, feminine=feminine)
        return said and f"{said} {forms[PLURALS.get(self._locale.plural_form(count), -1)]}"

    def _cents(self, match: re.Match[str]) -> tuple[str, ...]:
        """Return the forms of the name of a currency's hundredths; none if it has no name."""
        code = self._code(match["money"])
        named = habits.HUNDREDTHS.get(self._say.language, {}).items()
        return next((forms for forms, codes in named if code in codes), ())

    def _code(self, written: str) -> str:
        """Return the currency of a written sign; ``""`` if the language has none."""
        if written == "$":
            return self._local()
        if written == "kr":
            return CROWNS.get(self._say.language, "")
        return CURRENCIES.get(written, written)

    def _names(self, match: re.Match[str]) -> tuple[str, str] | None:
        """Return a currency's name in the form for the amount, and its noun in the singular."""
        from babel.numbers import get_currency_name

        written, locale = match["money"], self._locale
        code = self._code(written)
        if match["scale"]:
            count = Decimal(1_000_000)
        elif self._is_price(match):
            count = Decimal(self._say.split(match["low"])[0])
        else:
            count = self._value(match)
        names = [str(get_currency_name(code, n, locale)) for n in (count, 1)]
        if code in {"", *names}:
            return None
        nouns = [self._noun(name) for name in names]
        return (names[0] if written in CODES or written == "US$" else nouns[0]), nouns[1]

    def _local(self) -> str:
        """Return the currency of ``$`` in the language's region, by default USD."""
        from babel.numbers import get_currency_symbol, get_territory_currencies

        territory = self._locale.territory
        for code in get_territory_currencies(territory) if territory else []:
            if get_currency_symbol(code, self._locale) == "$":
                return str(code)
        return "USD"

    def _noun(self, name: str) -> str:
        """Return a currency's name without its country."""
        words = name.split()
        if ADJECTIVE.search(words[0]):
            words = words[1:]
        if self._say.language in NOUN_FIRST:
            return words[0]
        if self._say.language == "tr" and len(words) > 1:
            return POSSESSIVE.sub("", words[-1])
        if self._say.language in SPELLED:
            return words[-1].rsplit("-", maxsplit=1)[-1]
        return name

    def _amount(self, match: re.Match[str], noun: str) -> str | None:
        """Return the number in words, or both numbers of a range."""
        feminine = is_feminine(self._say.language, noun)
        low = self._say.read(match["low"], counting=True, feminine=feminine)
        if low is None or match["high"] is None:
            return low
        high = self._say.read(match["high"], counting=True, feminine=feminine)
        to = habits.RANGE.get(self._say.language)
        return f"{low} {to} {high}" if to and high else None

    def _value(self, match: re.Match[str]) -> Decimal:
        return self._say.value(match["high"] or match["low"])
