"""Written text in spoken words, language by language, and text that stays as it is."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from dubbing.text.characters import normalise, speakable
from dubbing.text.wording import spoken


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "1,250.5 miles", "one thousand two hundred fifty point five miles"),
        ("de", "1.250,5 Meilen", "eintausendzweihundertfünfzig Komma fünf Meilen"),
        ("fr", "1 250,75 miles", "mille deux cent cinquante virgule soixante-quinze miles"),
        ("es", "tengo 21 años y 200 camisas", "tengo veintiún años y doscientas camisas"),
        ("pt-BR", "16 anos e 2 semanas", "dezesseis anos e duas semanas"),
        ("es", "1 día, 200 problemas", "un día, doscientos problemas"),
        ("it", "1 volta, 3 volte", "una volta, tre volte"),
        ("pl", "mam 5 kotów i 3,25", "mam pięć kotów i trzy przecinek dwadzieścia pięć"),
        ("ru", "2 минуты, 2 часа", "две минуты, два часа"),
        ("hi", "५ किताबें, 1,00,000", "पाँच किताबें, एक लाख"),
        ("ar", "٣ قطط", "ثلاثة قطط"),
        ("th", "21", "ยี่สิบเอ็ด"),
        ("tr", "21 kedi", "yirmi bir kedi"),
        ("en-IN", "1,00,000", "one lakh"),
        ("de", "1 Hund, 1 Katze, Seite 1 fehlt", "ein Hund, eine Katze, Seite eins fehlt"),
    ],
)
def test_numbers_are_said_by_their_languages_separators_and_grammar(
    language: str, written: str, said: str
) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "in 1985 and 2010", "in nineteen eighty-five and twenty ten"),
        ("en", "the 1990s and the '80s", "the nineteen nineties and the eighties"),
        ("de", "seit 1985", "seit neunzehnhundertfünfundachtzig"),
        ("de", "die 1990er Jahre", "die neunzehnhundertneunziger Jahre"),
        ("fr", "en 1985", "en mille neuf cent quatre-vingt-cinq"),
        ("en", "1985 km", "one thousand nine hundred eighty-five kilometers"),
    ],
)
def test_a_year_is_said_as_its_language_says_years(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "on 11/21/2026", "on November twenty-first, twenty twenty-six"),
        ("en-GB", "on 3/4/2026", "on the third of April twenty twenty-six"),
        ("en", "on 2026-11-21", "on November twenty-first, twenty twenty-six"),
        ("en", "May 5, 1999; you may 5", "May fifth, nineteen ninety-nine; you may five"),
        ("en", "the 21st of May", "the twenty-first of May"),
        ("de", "am 21.11.2026", "am einundzwanzigsten November zweitausendsechsundzwanzig"),
        ("de", "der 3. Oktober", "der dritte Oktober"),
        ("de", "am 1.5. in Rom, der 2.5.", "am ersten Mai in Rom, der zweite Mai."),
        ("en", "On 5 Nov.", "On the fifth of November."),
        ("de", "3. Okt. 1990", "dritter Oktober neunzehnhundertneunzig"),
        ("fr", "le 1er mai 2020", "le premier mai deux mille vingt"),
        ("es", "5 mar, 5 mar.", "cinco mar, cinco marzo."),
        ("es", "el 21/11/2026", "el veintiuno de noviembre de dos mil veintiséis"),
        ("ru", "9 мая 1945 года", "девятого мая одна тысяча девятьсот сорок пятого года"),
        ("tr", "21.11.2026", "yirmi bir Kasım iki bin yirmi altı"),
    ],
)
def test_dates_are_said_in_the_languages_own_order(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "13/13/2026"), ("de", "31.2.2026"), ("pl", "21 listopada"), ("en", "13.14.2026")],
)
def test_a_day_that_is_none_or_that_nobody_can_inflect_stays_as_written(
    language: str, written: str
) -> None:
    assert spoken(written, language) == written


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "at 3:30 pm or 3:05", "at three thirty PM or three oh five"),
        ("en", "It is 5 p.m.", "It is five PM."),
        ("de", "um 15:30 Uhr, 1 Uhr", "um fünfzehn Uhr dreißig, ein Uhr"),
        ("fr", "à 15h30, 21 h 05", "à quinze heures trente, vingt-et-une heures cinq"),
        ("es", "a las 15:30", "a las quince treinta"),
        ("it", "alle 15:30", "alle quindici e trenta"),
        ("pt", "às 2h30", "às duas horas e trinta"),
        ("nl", "om 15.30 uur", "om vijftien uur dertig"),
        ("de", "15:30:20", "15:30:20"),
    ],
)
def test_times_of_day_are_said(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "5 km, 20 °C, 30%", "five kilometers, twenty degrees Celsius, thirty percent"),
        ("en", "-5°C at 100 km/h", "minus five degrees Celsius at one hundred kilometers per hour"),
        ("de", "1 km, 1 min, 3,5 kg", "ein Kilometer, eine Minute, drei Komma fünf Kilogramm"),
        ("fr", "1 h, 30 %", "une heure, trente pour cent"),
        ("pl", "2 min, 5 km", "dwie minuty, pięć kilometrów"),
        ("ru", "5 км, 2 мин", "пять километров, две минуты"),
        ("en", "£20, US$5", "twenty pounds, five US dollars"),
        (
            "en",
            "€1.5 million or $0.995",
            "one point five million euros or zero point nine nine five dollars",
        ),
        ("de", "5 Mio. €", "fünf Millionen Euro"),
        ("fr", "5 millions €", "cinq millions d'euros"),
        ("es-MX", "$5", "cinco pesos"),
        ("sv", "1 000 kr", "ettusen kronor"),
        ("tr", "%30", "yüzde otuz"),
        ("en", "10–12 km", "ten to twelve kilometers"),
    ],
)
def test_amounts_take_the_name_of_their_unit(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (
            "en",
            "$1,250.50, £3.01",
            "one thousand two hundred fifty dollars and fifty cents, three pounds and one penny",
        ),
        ("en", "$1.00, $1.25", "one dollar, one dollar and twenty-five cents"),
        ("en", "€0.99, $0.00", "ninety-nine cents, zero dollars"),
        ("de", "1.250,50 €", "eintausendzweihundertfünfzig Euro fünfzig"),
        ("de", "1,01 €, 0,99 €", "ein Euro eins, neunundneunzig Cent"),
        ("fr", "3,50 €, 0,50 €", "trois euros cinquante, cinquante centimes"),
        ("es", "3,50 €, 0,21 €", "tres euros con cincuenta, veintiún céntimos"),
        ("es-MX", "$5.50, $0.01", "cinco pesos con cincuenta, un centavo"),
        ("it", "3,50 €, 0,01 €", "tre euro e cinquanta, un centesimo"),
        ("pt-BR", "R$ 5,50, R$ 0,50", "cinco Reais e cinquenta, cinquenta centavos"),
        ("nl", "€ 3,50, € 0,99", "drie euro vijftig, negenennegentig cent"),
        ("ru", "5 ₽, 3 £", "пять рублей, три фунта"),
        ("ru", "2,02 ₽, 0,50 ₽", "два рубля две копейки, пятьдесят копеек"),
        ("uk", "1,21 ₴", "одна гривня двадцять одна копійка"),
        ("pl", "12,50 zł, 2,02 zł", "dwanaście złotych pięćdziesiąt groszy, dwa złote dwa grosze"),
        ("pl", "1,01 zł, 0,99 €", "jeden złoty jeden grosz, dziewięćdziesiąt dziewięć centów"),
        ("cs", "12,50 Kč", "dvanáct korun padesát haléřů"),
        ("sk", "5,50 €", "päť eur päťdesiat centov"),
        ("hr", "5,02 €", "pet eura i dva centa"),
        ("sv", "12,50 kr, 1,01 kr", "tolv kronor och femtio öre, en krona och ett öre"),
        ("da", "1,50 kr, 0,25 kr", "en krone og halvtreds øre, femogtyve øre"),
        ("no", "12,50 kr", "tolv kroner og femti øre"),
        ("fi", "3,50 €", "kolme euroa viisikymmentä senttiä"),
        ("tr", "12,50 ₺", "on iki lira elli kuruş"),
        ("ca", "3,01 €", "tres euros amb un cèntim"),
        ("el", "3,50 €", "τρία ευρώ και πενήντα λεπτά"),
        ("en", "¥12.50", "twelve point five zero yen"),
    ],
)
def test_prices_are_said_as_people_say_them(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "the 21st", "the twenty-first"),
        ("de", "der 3. Mann im 2. Akt", "der dritte Mann im zweiten Akt"),
        ("de", "Es war 3. Dann ging er.", "Es war drei. Dann ging er."),
        ("fr", "2e étage, 1re fois", "deuxième étage, première fois"),
        ("es", "2º piso, 3ª vez", "segundo piso, tercera vez"),
        ("ru", "5-й", "пятый"),
        ("en", "10-12 men, 1905–1910", "ten to twelve men, nineteen oh-five to nineteen ten"),
        ("en", "a 3-2 win", "a three-two win"),
        ("en", "½ cup, 2½ hours, 1/2", "one half cup, two and a half hours, one half"),
        ("de", "2½ Stunden", "zweieinhalb Stunden"),
        ("en", "agent 007", "agent zero zero seven"),
        ("en", "call 555-1234", "call five five five, one two three four"),
        ("en", "(555) 123-4567", "five five five, one two three, four five six seven"),
        ("en", "(1985) 3000 men", "(nineteen eighty-five) three thousand men"),
        ("de", "+49 30 123456", "plus vier neun, drei null, eins zwei drei vier fünf sechs"),
        ("de", "1" * 16, " ".join(["eins"] * 16)),
        ("en", "MP3, 4K, B2B", "MP three, four K, B two B"),
        ("de", "5fach, 20-jährig", "fünffach, zwanzig-jährig"),
        ("en", "version 1.2.3", "version one point two point three"),
    ],
)  # fmt: skip
def test_ordinals_ranges_parts_and_codes_are_said(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "Dr. Smith & Mr. Jones etc.", "Doctor Smith and Mister Jones et cetera."),
        ("en", "Cars, etc. Then he left.", "Cars, et cetera. Then he left."),
        ("en", "No. 5? No. Never.", "number five? No. Never."),
        ("de", "z. B. z.B. Dr. Ax usw.", "zum Beispiel zum Beispiel Doktor Ax und so weiter."),
        ("fr", "M. Ax et Mme Bo, 5 m.", "Monsieur Ax et Madame Bo, cinq mètres."),
        ("fr", "Robert M. Dupont. Me voilà.", "Robert M. Dupont. Me voilà."),
        ("pl", "Jest ok. Ma ok. 5 lat.", "Jest ok. Ma około pięć lat."),
        ("es", "p. ej. la Sra. Gil", "por ejemplo la señora Gil"),
        ("en", "AT&T, 2+2=4, a@b", "AT and T, two plus two equals four, a at b"),
        ("en", "#1 at #home", "number one at home"),
    ],
)
def test_abbreviations_and_signs_are_said(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize("language", ["en", "de", "fa", "hi", "zh", "ja", "th", "xx", "en-GB"])
@pytest.mark.parametrize(
    "text",
    [
        "Hello, my friend – how are you?",
        "می\u200cخواهم",
        "क्\u200dष",
        "今日は。",
        "«Да!»",
        "col·lega",
    ],
)
def test_a_line_without_figures_and_signs_stays_as_it_is(language: str, text: str) -> None:
    assert spoken(text, language) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "사과 5개"),
        ("xx", "5 things & 3 km"),
        ("q", "5"),
        ("ar", "30%"),
        ("ar", "%30"),
        ("en", "3,5"),
        ("cs", "21. listopadu"),
        ("en", "१้ 2́"),
    ],
)
def test_what_is_not_known_in_a_language_is_never_said_in_another(language: str, text: str) -> None:
    assert spoken(text, language) == text


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (
            "zh",
            "2026年，一共2个人，￥99.8，10-12人",
            "二零二六年，一共两个人，九十九点八元，十到十二人",
        ),
        ("zh-Hant", "5個 NASA", "五個 NASA"),
        ("ja", "3人で15:30、3.5%", "三人で十五時三十分、三点五パーセント"),
    ],
)
def test_chinese_and_japanese_are_read_by_their_grammar(
    language: str, written: str, said: str
) -> None:
    pytest.importorskip("wetext")
    assert spoken(written, language) == said


@pytest.mark.parametrize(
    ("language", "written"), [("zh", "2024年有3.14万人"), ("ja", "2024年3人で12:30、-3.5%")]
)
def test_a_long_clause_is_read_as_a_short_one_is(language: str, written: str) -> None:
    pytest.importorskip("wetext")
    said = spoken(written, language)
    for length in range(180, 201):
        before = "天" * length
        assert spoken(before + written, language) == before + said, length
    assert spoken("1" + "." * 500 + "5", language).startswith("一")


def test_without_the_extra_chinese_figures_stay_as_they_are() -> None:
    code = (
        "import sys; sys.modules['wetext'] = None\n"
        "from dubbing.text.wording import spoken\n"
        "print(ascii(spoken('3人 X', 'ja', {'X': 'Y'})))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ascii("3人 Y")


def test_no_table_is_loaded_by_the_client() -> None:
    code = (
        "import sys, dubbing.client\n"
        "print([name for name in ('babel', 'unicode_rbnf', 'wetext') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_signs_without_a_sound_are_taken_out_of_names() -> None:
    assert "\u200b" not in spoken("¥5", "km")


# Any text.

LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "cs", "tr", "hu", "sv", "da", "fi"),
    *("nb", "el", "uk", "ro", "ar", "he", "hi", "ja", "zh", "ko", "th", "vi", "fil", "xx", "km"),
    *("zh-Hant", "sr-Latn", "en-IN", "de-CH", "fa", "es-419", "pt-PT"),
)
LETTERS = (
    "0123456789" * 3, " " * 12, ".,:;/-–+()'’%°€$£¥#&@=×½¼²٪٫−", "abcdehkmnprstCFKMUhTBG",
    "IVXLC", "*~_|\\^♪™ᵗˢ", "äöüéç", "абвкм", "٠١٢", "०१२", "๐๑", "中年月日人", "אב", "กขั", "한개",
    "\u200d\u0301\ue000😀",
)  # fmt: skip
SCRAPS = (
    *("km/h", "°C", "Uhr", "pm", "Mio.", "€", "USD", "z. B.", "Dr.", "etc.", "21st", "3.", "1er"),
    *("May", "mai", "11/21/2026", "21.11.2026", "15:30", "15h30", "007", "+49 30", "1/2", "1,000"),
    *("Henry VIII", "XX век", "1990-х", "lata 90.", "6'2\"", "16:9", "20~30", "5x", "20 000", "❤️"),
)


@pytest.mark.parametrize("seed", range(5))
def test_any_text_can_be_said(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(200):
        language = choose.choice(LANGUAGES)
        text = normalise(
            "".join(
                choose.choice(SCRAPS if choose.random() < 0.2 else choose.choice(LETTERS))
                for _ in range(choose.randrange(1, 60))
            )
        )
        said = spoken(text, language, {"km": "Ka Em"} if choose.random() < 0.3 else {})
        assert normalise(said) == said, (language, text)
        assert speakable(said) == speakable(text), (language, text)
        assert spoken(text, language) == spoken(text, language)
