"""Roman numerals, decades, ratios, telephone numbers, and signs that stand for no words."""

from __future__ import annotations

import pytest

from dubbing.engines.adapters._espeak import phonemizer
from dubbing.text.characters import normalise
from dubbing.text.wording import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("King Henry VIII ruled.", "King Henry the Eighth ruled."),
        ("World War II ended.", "World War Two ended."),
        (
            "Call 1-800-555-0199 now.",
            "Call one, eight zero zero, five five five, zero one nine nine now.",
        ),
        ("About 20 000 people came.", "About twenty thousand people came."),
        ("Mix 20~30 grams.", "Mix twenty to thirty grams."),
        ("Open 24/7 for you.", "Open twenty-four seven for you."),
        (
            "A 16:9 screen and/or a 4:3 one.",
            "A sixteen by nine screen and or a four by three one.",
        ),
        ("**Really** so.", "Really so."),
        ("It is 6'2\" tall.", "It is six foot two tall."),
        ("See Sᵗ Brieuc.", "See Saint Brieuc."),
    ],
)
def test_an_english_script_is_said_as_it_is_meant(written: str, said: str) -> None:
    assert spoken(written, "en") == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (
            "en",
            "Pope John Paul II's, Louis XIV",
            "Pope John Paul the Second's, Louis the Fourteenth",
        ),
        ("en", "Queen Elizabeth I ruled.", "Queen Elizabeth the First ruled."),
        ("en", "Charles I of England", "Charles the First of England"),
        ("en", "HENRY VIII, Henry the VIII", "HENRY the Eighth, Henry the Eighth"),
        ("de", "Heinrich VIII. regierte.", "Heinrich der Achte regierte."),
        ("de", "von Ludwig XIV. gebaut", "von Ludwig dem Vierzehnten gebaut"),
        ("de", "Königin Elisabeth II.", "Königin Elisabeth die Zweite."),
        ("fr", "Louis XIV, Napoléon Ier", "Louis quatorze, Napoléon premier"),
        ("es", "Felipe II, Alfonso XIII", "Felipe segundo, Alfonso trece"),
        ("es", "la reina Isabel I", "la reina Isabel primera"),
        ("it", "papa Giovanni XXIII", "papa Giovanni ventitreesimo"),
        ("pt", "Dom Pedro II, João XXIII", "Dom Pedro segundo, João vinte e três"),
        ("nl", "Willem II", "Willem de tweede"),
        ("sv", "Gustav III, Karl I Sverige", "Gustav den tredje, Karl I Sverige"),
        ("da", "Margrethe II", "Margrethe den anden"),
        ("ru", "Пётр I, Екатерины II", "Пётр Первый, Екатерины Второй"),
        ("tr", "II. Mehmed", "ikinci Mehmed"),
        ("hu", "XIV. Lajos", "tizennegyedik Lajos"),
    ],
)
def test_a_ruler_is_counted_as_the_language_counts_rulers(
    language: str, written: str, said: str
) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "Chapter IV, Act III", "Chapter Four, Act Three"),
        ("en", "part II of it. Act V. The end", "part Two of it. Act Five. The end"),
        ("en", "Rocky II, I saw Rocky IV", "Rocky Two, I saw Rocky Four"),
        ("en", "Super Bowl LVIII, WWII", "Super Bowl Fifty-eight, World War Two"),
        ("en", "World War I, the XXth century", "World War One, the twentieth century"),
        ("de", "Kapitel IV, im XX. Jahrhundert", "Kapitel Vier, im zwanzigsten Jahrhundert"),
        ("fr", "chapitre IV, XXe siècle", "chapitre quatre, vingtième siècle"),
        ("es", "siglo XX, siglo V", "siglo veinte, siglo quinto"),
        ("es", "II Guerra Mundial", "segunda Guerra Mundial"),
        ("it", "XX secolo, capitolo IV", "ventesimo secolo, capitolo quattro"),
        ("pt", "século XIX", "século dezenove"),
        ("ru", "в XX веке, XIX век", "в двадцатом веке, девятнадцатый век"),
    ],
)
def test_wars_chapters_and_centuries_are_counted(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    "text",
    [
        *("I am here.", "Henry I am here.", "Elizabeth I think so.", "George I need you."),
        *("It is I.", "MIX", "DC", "CD", "LCD", "XL", "XXL", "VIVID", "CIVIL", "IX", "II"),
        *("Malcolm X", "Planet X", "George V. Higgins", "The IV is in.", "Get an IV.", "Class C"),
        *("the part I liked", "Act I must", "Windows XP", "iPhone X", "Mom I love you"),
    ],
)
def test_letters_that_may_be_a_word_stay_as_written(text: str) -> None:
    assert spoken(text, "en") == text


def test_mister_x_has_no_number() -> None:
    assert spoken("Mr. X and Prof. X", "en") == "Mister X and Professor X"


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "the ’90s", "the nineties"),
        ("de", "die 1980er", "die neunzehnhundertachtziger"),
        ("fr", "les années 1990", "les années mille neuf cent quatre-vingt-dix"),
        ("es", "los 90s, en 1990s", "los noventa, en mil novecientos noventa"),
        ("it", "gli anni '90", "gli anni novanta"),
        ("nl", "de jaren '90", "de jaren negentig"),
        ("ru", "в 1990-х", "в одна тысяча девятьсот девяностых"),
        ("ru", "90-е, 80-х годов", "девяностые, восьмидесятых годов"),
        ("ru", "20-е место, 30-е мая", "двадцатое место, тридцатое мая"),
        ("uk", "90-ті, 60-х", "девʼяності, шістдесятих"),
        ("uk", "1980-і", "одна тисяча девʼятсот вісімдесяті"),
        ("pl", "lata 90. były", "lata dziewięćdziesiąte były"),
        ("pl", "w latach 60-tych", "w latach sześćdziesiątych"),
        ("pl", "Tak było w latach 90.", "Tak było w latach dziewięćdziesiątych."),
    ],
)
def test_decades_are_said(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "21:9, 3:1", "twenty-one by nine, three to one"),
        ("en", "see Genesis 1:1", "see Genesis one one"),
        ("en", "at 4:30, 15:30:20", "at four thirty, 15:30:20"),
        ("en", "50/50, 9/11, 2023/24", "fifty fifty, nine eleven, twenty twenty-three twenty-four"),
        ("en", "2x4, 3 x 4, 3×4", "two by four, three by four, three times four"),
        ("en", "10x faster, 2.5x", "ten times faster, two point five times"),
        ("en", "2-3x a day, 0x1F", "two to three times a day, zero x one F"),
        ("de", "16:9, 3:1, 24/7", "sechzehn zu neun, drei zu eins, vierundzwanzig sieben"),
        ("de", "5x am Tag, 1x", "fünfmal am Tag, einmal"),
        ("fr", "5x, 10x15", "cinq fois, dix par quinze"),
        ("es", "16:9, 1x, 21x", "dieciséis por nueve, una vez, veintiuna veces"),
        ("pl", "2x, 5x", "dwa razy, pięć razy"),
        ("ru", "2x, 5x, 16:9", "два раза, пять раз, шестнадцать на девять"),
        ("en", "5'11\", 6′ 2″, 5' 11''", "five foot eleven, six foot two, five foot eleven"),
        ("en", "6'2 tall, '6' 2 men", "six foot two tall, 'six' two men"),
    ],
)
def test_ratios_and_times_are_said(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "212.555.0199", "two one two, five five five, zero one nine nine"),
        ("en", "1 (800) 555-0199", "one, eight zero zero, five five five, zero one nine nine"),
        ("en", "+1 212 555 0199", "one, two one two, five five five, zero one nine nine"),
        ("en", "020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
        ("en", "Call 911. 911 men", "Call nine one one. nine hundred eleven men"),
        ("en", "2019-2020, 3,000,000", "twenty nineteen to twenty twenty, three million"),
        ("fr", "06.12.34.56.78", "zéro six, un deux, trois quatre, cinq six, sept huit"),
        ("es", "612 345 678", "seis uno dos, tres cuatro cinco, seis siete ocho"),
        ("it", "347 123 4567", "tre quattro sette, uno due tre, quattro cinque sei sette"),
        ("pl", "600-123-456", "sześć zero zero, jeden dwa trzy, cztery pięć sześć"),
        ("ru", "123-45-67", "один два три, четыре пять, шесть семь"),
        ("da", "12 34 56 78", "et to, tre fire, fem seks, syv otte"),
    ],
)
def test_a_telephone_number_is_said_digit_by_digit(language: str, written: str, said: str) -> None:
    assert said in spoken(written, language)


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u2009", "'", "’"])
@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "twenty thousand"), ("de", "zwanzigtausend"), ("fr", "vingt mille"),
     ("es", "veinte mil"), ("pl", "dwadzieścia tysięcy")],
)  # fmt: skip
def test_thousands_are_parted_by_spaces_and_apostrophes(
    language: str, said: str, space: str
) -> None:
    assert spoken(normalise(f"20{space}000"), language) == said


@pytest.mark.parametrize("dash", ["–", " – ", "~", " ~ ", "〜", "～", "-"])
def test_a_range_is_said_from_one_number_to_the_other(dash: str) -> None:
    assert spoken(f"20{dash}30 km", "en") == "twenty to thirty kilometers"
    assert spoken(f"20{dash}30 Leute", "de") == "zwanzig bis dreißig Leute"


def test_a_tilde_before_a_number_means_about() -> None:
    assert spoken("~30 men", "en") == "about thirty men"
    assert spoken("~30 hommes", "fr") == "environ trente hommes"


def test_a_turkish_currency_without_a_country_is_no_possession() -> None:
    assert spoken("5 ₺, $5, 5 £, 5 ₽", "tr") == "beş lira, beş dolar, beş sterlin, beş ruble"
    assert spoken("5 TRY, US$5", "tr") == "beş Türk lirası, beş ABD doları"


SIGNS = "*~#_|\\^/`•†¶♪™®→←⇒■▶✓★☎😀👍🏽❤️🇩🇪"


@pytest.mark.parametrize("language", ["en", "de", "ru", "ar", "hi", "zh", "xx"])
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{0} La {0} la {0}", "La la"),
        ("{0}La{0} la, la {0}.", "La la, la."),
        ("{0}{0}La{0}{0}, {0}{0} la", "La, la"),
    ],
)
def test_signs_that_are_no_words_are_left_out(language: str, written: str, said: str) -> None:
    for sign in SIGNS:
        assert spoken(normalise(written.format(sign)), language) == said, sign


@pytest.mark.parametrize("language", ["en-us", "de"])
def test_an_engine_reads_out_none_of_them(language: str) -> None:
    library = phonemizer("espeak")
    silent = library.phonemes("la la", language)
    for sign in SIGNS:
        assert library.phonemes(spoken(f"la {sign} la", language), language) == silent, sign


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "#metoo, #MeToo", "metoo, MeToo"),
        ("en", "#1, GUARD #2, C#", "number one, GUARD number two, C sharp"),
        ("en", "https://www.example.com/path, a@b.com", "www.example.com path, a at b.com"),
        ("en", "he/she, w/o, AC/DC", "he she, without, AC DC"),
        ("en", "I don´t, don`t", "I don't, don't"),
        ("en", "1ˢᵗ, Mʳ Ax", "first, Mister Ax"),
        ("fr", "Mᵐᵉ Ax, 2ᵉ", "Madame Ax, deuxième"),
        ("ru", "№ 5", "номер пять"),
        ("zh", "**3人**，10～12人", "三人，十到十二人"),
        ("xx", "5 & 3 %, 5°", "5 & 3 %, 5°"),
    ],
)
def test_signs_that_are_words_are_said(language: str, written: str, said: str) -> None:
    if language == "zh":
        pytest.importorskip("wetext")
    assert spoken(normalise(written), language) == said


def test_what_the_dictionary_lists_keeps_its_signs() -> None:
    assert spoken("and/or C# Henry VIII", "en", {"C#": "C#", "VIII": "acht"}) == (
        "and or C# Henry acht"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("He lives at 42 Baker St.", "He lives at forty-two Baker Street."),
        ("on 5th Ave. at noon", "on fifth Avenue at noon"),
        ("Baker St. near St. Mary", "Baker Street near Saint Mary"),
        ("the St. is", "the St. is"),
    ],
)
def test_a_street_after_its_name_is_said_in_full(written: str, said: str) -> None:
    assert spoken(written, "en") == said
