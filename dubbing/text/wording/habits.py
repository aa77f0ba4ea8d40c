"""Abbreviations, signs and small words by language, which CLDR does not provide.

For a language that is missing from a table, the text stays as written.
"""

from __future__ import annotations

RANGE = {
    "en": "to", "de": "bis", "fr": "à", "es": "a", "it": "a", "pt": "a", "nl": "tot", "ca": "a",
    "sv": "till", "da": "til", "no": "til", "pl": "do", "ro": "până la",
}  # fmt: skip
"""Between the two numbers of a range."""
ABOUT = {
    "en": "about", "de": "etwa", "fr": "environ", "es": "aproximadamente", "it": "circa",
    "pt": "cerca de", "nl": "ongeveer", "ca": "aproximadament", "sv": "cirka", "da": "cirka",
    "no": "cirka", "pl": "mniej więcej", "ru": "примерно", "uk": "приблизно",
}  # fmt: skip
"""For a tilde before a number."""
RATIO = {
    "en": "to", "de": "zu", "fr": "à", "es": "a", "it": "a", "pt": "a", "nl": "op", "ca": "a",
    "sv": "till", "da": "til", "no": "til",
}  # fmt: skip
"""Between the numbers of a ratio; other languages speak them one after the other."""
SHAPE = {
    "en": "by", "fr": "sur", "es": "por", "pt": "por", "nl": "bij", "pl": "na", "ru": "на",
    "uk": "на",
}  # fmt: skip
"""Between the numbers of an aspect ratio, where the language uses another word."""
BY = {
    "en": "by", "de": "mal", "fr": "par", "es": "por", "it": "per", "pt": "por", "nl": "bij",
    "ca": "per", "sv": "gånger", "da": "gange", "no": "ganger", "pl": "na", "ru": "на",
    "uk": "на",
}  # fmt: skip
"""Between a width and a height."""
TIMES: dict[str, dict[str, str]] = {
    "en": {"one": "{} time", "other": "{} times"},
    "de": {"other": "{}mal"},
    "fr": {"other": "{} fois"},
    "es": {"one": "{} vez", "other": "{} veces"},
    "it": {"one": "{} volta", "other": "{} volte"},
    "pt": {"one": "{} vez", "other": "{} vezes"},
    "ca": {"one": "{} vegada", "other": "{} vegades"},
    "nl": {"other": "{} keer"},
    "sv": {"one": "en gång", "other": "{} gånger"},
    "da": {"one": "en gang", "other": "{} gange"},
    "no": {"one": "en gang", "other": "{} ganger"},
    "pl": {"one": "jeden raz", "few": "{} razy", "many": "{} razy", "other": "{} raza"},
    "ru": {"one": "{} раз", "few": "{} раза", "many": "{} раз", "other": "{} раза"},
    "uk": {"one": "{} раз", "few": "{} рази", "many": "{} разів", "other": "{} раза"},
    "cs": {"one": "jednou", "few": "{}krát", "other": "{}krát"},
    "sk": {"one": "raz", "few": "{}krát", "other": "{}krát"},
    "tr": {"other": "{} kez"},
}
"""How many times, by CLDR's plural categories."""
TIMES_FEMININE = frozenset({"fr", "es", "it", "pt", "ca"})
"""Languages in which the noun in `TIMES` is feminine."""

DOT = {
    "en": "point", "de": "Punkt", "fr": "point", "es": "punto", "it": "punto", "pt": "ponto",
    "nl": "punt",
}  # fmt: skip
"""The dot in a version or an address."""

ABBREVIATIONS: dict[str, dict[str, str]] = {
    "en": {
        "Mr.": "Mister", "Mr": "Mister", "Mrs.": "Missus", "Mrs": "Missus", "Prof.": "Professor",
        "Jr.": "Junior", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is",
        "vs.": "versus", "approx.": "approximately", "w/o": "without", "w/": "with",
        "C#": "C sharp", "F#": "F sharp",
    },
    "de": {
        "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau",
        "bzw.": "beziehungsweise",
        "usw.": "und so weiter", "z. B.": "zum Beispiel", "d. h.": "das heißt",
        "u. a.": "unter anderem", "v. a.": "vor allem", "o. ä.": "oder ähnlich",
        "ca.": "circa", "evtl.": "eventuell", "ggf.": "gegebenenfalls", "inkl.": "inklusive",
        "vgl.": "vergleiche", "Mio.": "Millionen", "Mrd.": "Milliarden", "Std.": "Stunden",
        "Tel.": "Telefon", "sog.": "sogenannt", "etc.": "et cetera", "i. d. R.": "in der Regel",
    },
    "fr": {
        "Mme": "Madame", "Mmes": "Mesdames", "Mlle": "Mademoiselle", "MM.": "Messieurs",
        "Dr": "Docteur", "etc.": "et cetera",
        "p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "env.": "environ",
    },
    "es": {
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora",
        "Ud.": "usted", "Uds.": "ustedes", "p. ej.": "por ejemplo", "etc.": "etcétera",
        "EE. UU.": "Estados Unidos", "Prof.": "profesor", "aprox.": "aproximadamente",
    },
    "it": {
        "Sig.": "signor", "Sig.ra": "signora", "Sig.na": "signorina", "Dott.": "dottor",
        "Dott.ssa": "dottoressa", "Prof.": "professor", "Prof.ssa": "professoressa",
        "Avv.": "avvocato", "Ing.": "ingegner", "ecc.": "eccetera", "p. es.": "per esempio",
    },
    "pt": {
        "Sr.": "senhor", "Sra.": "senhora", "Dr.": "doutor", "Dra.": "doutora",
        "Prof.": "professor", "Profa.": "professora", "etc.": "et cetera",
        "p. ex.": "por exemplo", "V. Exa.": "Vossa Excelência", "aprox.": "aproximadamente",
    },
    "nl": {
        "dhr.": "de heer", "mevr.": "mevrouw", "dr.": "doctor", "prof.": "professor",
        "bijv.": "bijvoorbeeld", "d.w.z.": "dat wil zeggen", "enz.": "enzovoort",
        "o.a.": "onder andere", "m.a.w.": "met andere woorden",
    },
    "pl": {
        "np.": "na przykład", "itd.": "i tak dalej", "itp.": "i tym podobne", "tzn.": "to znaczy",
        "m.in.": "między innymi",
    },
    "ru": {
        "т. е.": "то есть", "т. д.": "так далее", "т. п.": "тому подобное",
        "и т. д.": "и так далее",
    },
}  # fmt: skip
"""Abbreviations anywhere in a line; spaces inside them are optional."""

BEFORE_NUMBERS: dict[str, dict[str, str]] = {
    "en": {"No.": "number", "Nos.": "numbers", "p.": "page", "pp.": "pages", "vol.": "volume"},
    "de": {"Nr.": "Nummer", "S.": "Seite", "Bd.": "Band", "Kap.": "Kapitel", "§": "Paragraf"},
    "fr": {"n°": "numéro", "nº": "numéro", "p.": "page", "art.": "article"},
    "es": {"n.º": "número", "nº": "número", "n°": "número", "pág.": "página", "art.": "artículo"},
    "it": {"n.": "numero", "nº": "numero", "n°": "numero", "pag.": "pagina", "art.": "articolo"},
    "pt": {"n.º": "número", "nº": "número", "pág.": "página", "art.": "artigo"},
    "nl": {"nr.": "nummer", "blz.": "bladzijde"},
    "pl": {"nr": "numer", "ok.": "około"},
    "ru": {"№": "номер"},
    "uk": {"№": "номер"},
}
"""Abbreviations before a number."""

BEFORE_NAMES: dict[str, dict[str, str]] = {
    "en": {
        "Dr.": "Doctor", "Dr": "Doctor", "St.": "Saint", "St": "Saint", "Mt.": "Mount",
        "Ft.": "Fort", "Gen.": "General", "Col.": "Colonel", "Capt.": "Captain",
        "Lt.": "Lieutenant", "Sgt.": "Sergeant", "Gov.": "Governor", "Sen.": "Senator",
        "Rev.": "Reverend",
    },
    "de": {"St.": "Sankt"},
    "fr": {"M.": "Monsieur", "St": "Saint", "Ste": "Sainte"},
    "es": {"Sto.": "santo", "Sta.": "santa"},
    "nl": {"St.": "Sint"},
}  # fmt: skip
"""Abbreviations before a capital letter."""

AFTER_NAMES: dict[str, dict[str, str]] = {
    "en": {"St.": "Street", "Ave.": "Avenue", "Rd.": "Road", "Blvd.": "Boulevard"},
}
"""Abbreviations after a capitalised word or an ordinal, unless a capital letter follows: ``42 Baker
St.``"""

ENDING = frozenset({"etc.", "usw.", "ecc.", "enz.", "itd.", "itp.", "u. a.", "o. ä.", "и т. д."})
"""Abbreviations that may end a sentence: a capital letter after them begins the next one."""

SIGNS: dict[str, dict[str, str]] = {
    "en": {"&": "and", "@": "at", "+": "plus", "=": "equals", "×": "times", "#": "number"},
    "de": {"&": "und", "@": "at", "+": "plus", "=": "gleich", "×": "mal", "#": "Nummer"},
    "fr": {"&": "et", "@": "arobase", "+": "plus", "=": "égale", "×": "fois", "#": "numéro"},
    "es": {"&": "y", "@": "arroba", "+": "más", "=": "igual a", "×": "por", "#": "número"},
    "it": {"&": "e", "@": "chiocciola", "+": "più", "=": "uguale a", "×": "per", "#": "numero"},
    "pt": {"&": "e", "@": "arroba", "+": "mais", "=": "igual a", "×": "vezes", "#": "número"},
    "nl": {"&": "en", "@": "apenstaartje", "+": "plus", "=": "is", "×": "maal", "#": "nummer"},
    "pl": {"&": "i", "@": "małpa", "+": "plus", "=": "równa się", "×": "razy", "#": "numer"},
    "ru": {"&": "и", "@": "собака", "+": "плюс", "=": "равно", "×": "умножить на", "#": "номер"},
}

PARTS: dict[str, dict[str, str]] = {
    "en": {
        "½": "one half", "¼": "one quarter", "¾": "three quarters", "⅓": "one third",
        "⅔": "two thirds",
    },
    "de": {
        "½": "ein halb", "¼": "ein Viertel", "¾": "drei Viertel", "⅓": "ein Drittel",
        "⅔": "zwei Drittel",
    },
    "fr": {
        "½": "un demi", "¼": "un quart", "¾": "trois quarts", "⅓": "un tiers", "⅔": "deux tiers",
    },
    "es": {
        "½": "medio", "¼": "un cuarto", "¾": "tres cuartos", "⅓": "un tercio", "⅔": "dos tercios",
    },
    "it": {"½": "mezzo", "¼": "un quarto", "¾": "tre quarti", "⅓": "un terzo", "⅔": "due terzi"},
    "pt": {"½": "meio", "¼": "um quarto", "¾": "três quartos", "⅓": "um terço", "⅔": "dois terços"},
    "nl": {
        "½": "een half", "¼": "een kwart", "¾": "drie kwart", "⅓": "een derde", "⅔": "twee derde",
    },
}  # fmt: skip
"""Fractions."""

HALVES = {
    "en": "{} and a half", "de": "{}einhalb", "fr": "{} et demi", "es": "{} y medio",
    "it": "{} e mezzo", "pt": "{} e meio",
}  # fmt: skip
"""A number and a half."""

SCALES: dict[str, dict[str, str]] = {
    "en": {
        "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
        "k": "thousand", "K": "thousand", "m": "million", "M": "million", "bn": "billion",
    },
    "de": {
        "Tausend": "Tausend", "Millionen": "Millionen", "Million": "Million",
        "Milliarden": "Milliarden", "Milliarde": "Milliarde", "Mio.": "Millionen",
        "Mio": "Millionen", "Mrd.": "Milliarden", "Mrd": "Milliarden",
    },
    "fr": {
        "million": "million", "millions": "millions", "milliard": "milliard",
        "milliards": "milliards",
    },
    "es": {"mil": "mil", "millón": "millón", "millones": "millones"},
    "it": {
        "mila": "mila", "milione": "milione", "milioni": "milioni", "miliardo": "miliardo",
        "miliardi": "miliardi",
    },
    "pt": {
        "mil": "mil", "milhão": "milhão", "milhões": "milhões", "bilhão": "bilhão",
        "bilhões": "bilhões",
    },
    "nl": {"miljoen": "miljoen", "miljard": "miljard"},
}  # fmt: skip
"""Words of magnitude between an amount and its currency."""
OF_SCALE = {"fr": "de ", "es": "de ", "it": "di ", "pt": "de "}
"""Between a word such as *millions* and the currency."""

HUNDREDTHS: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {
    "en": {
        ("cent", "cents"): ("USD", "EUR", "CAD", "AUD"), ("penny", "pence"): ("GBP",),
        ("paisa", "paise"): ("INR",), ("centime", "centimes"): ("CHF",),
        ("centavo", "centavos"): ("BRL", "MXN"),
    },
    "de": {
        ("Cent", "Cent"): ("USD", "EUR", "CAD", "AUD"), ("Penny", "Pence"): ("GBP",),
        ("Rappen", "Rappen"): ("CHF",),
    },
    "fr": {
        ("centime", "centimes"): ("EUR", "CHF"), ("cent", "cents"): ("USD", "CAD", "AUD"),
        ("penny", "pence"): ("GBP",),
    },
    "es": {
        ("céntimo", "céntimos"): ("EUR", "CHF"), ("penique", "peniques"): ("GBP",),
        ("centavo", "centavos"): ("USD", "CAD", "AUD", "BRL", "MXN"),
    },
    "it": {
        ("centesimo", "centesimi"): ("USD", "EUR", "CAD", "AUD", "CHF"),
        ("penny", "pence"): ("GBP",),
    },
    "pt": {
        ("cêntimo", "cêntimos"): ("EUR", "CHF"), ("penny", "pence"): ("GBP",),
        ("centavo", "centavos"): ("USD", "CAD", "AUD", "BRL", "MXN"),
    },
    "nl": {("cent", "cent"): ("USD", "EUR", "CAD", "AUD"), ("penny", "pence"): ("GBP",)},
    "ca": {("cèntim", "cèntims"): ("EUR", "CHF")},
    "el": {("λεπτό", "λεπτά"): ("EUR",)},
    "sv": {
        ("öre", "öre"): ("SEK", "NOK", "DKK"), ("cent", "cent"): ("USD", "EUR", "CAD", "AUD"),
    },
    "da": {
        ("øre", "øre"): ("DKK", "SEK", "NOK"), ("cent", "cent"): ("USD", "EUR", "CAD", "AUD"),
    },
    "no": {
        ("øre", "øre"): ("NOK", "SEK", "DKK"), ("cent", "cent"): ("USD", "EUR", "CAD", "AUD"),
    },
    "fi": {("sentti", "senttiä"): ("USD", "EUR", "CAD", "AUD")},
    "tr": {("kuruş", "kuruş"): ("TRY",), ("sent", "sent"): ("USD", "EUR", "CAD", "AUD")},
    "pl": {
        ("grosz", "grosze", "groszy"): ("PLN",),
        ("cent", "centy", "centów"): ("USD", "EUR", "CAD", "AUD"),
        ("pens", "pensy", "pensów"): ("GBP",),
    },
    "cs": {
        ("haléř", "haléře", "haléřů"): ("CZK",),
        ("cent", "centy", "centů"): ("USD", "EUR", "CAD", "AUD"),
    },
    "sk": {("cent", "centy", "centov"): ("USD", "EUR", "CAD", "AUD")},
    "hr": {("cent", "centa", "centi"): ("USD", "EUR", "CAD", "AUD")},
    "ru": {
        ("копейка", "копейки", "копеек"): ("RUB", "UAH"),
        ("цент", "цента", "центов"): ("USD", "EUR", "CAD", "AUD"),
        ("пенс", "пенса", "пенсов"): ("GBP",), ("грош", "гроша", "грошей"): ("PLN",),
    },
    "uk": {
        ("копійка", "копійки", "копійок"): ("UAH", "RUB"),
        ("цент", "центи", "центів"): ("USD", "EUR", "CAD", "AUD"),
        ("пенс", "пенси", "пенсів"): ("GBP",), ("грош", "гроші", "грошів"): ("PLN",),
    },
}  # fmt: skip
"""The forms of hundredths, for one and for more, or in Slavic languages for one, few and many; and
their currencies by ISO 4217 code."""
