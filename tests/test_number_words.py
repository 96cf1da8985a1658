"""Numbers in one form: spelled, in digits, side by side; the same for both texts."""

import pytest

from metrics.spelling import normalised
from metrics.wording import distances


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1, 2, 3, 4, 5.", "one, two, three, four, five"),
        ("My number is 4 9 2 9.", "My number is four nine two nine"),
        ("7:30", "seven thirty"),
        ("12,345", "twelve thousand three hundred and forty-five"),
    ],
)
def test_spelled_numbers_are_those_in_digits(one: str, other: str) -> None:
    """Whichever of the two a recogniser writes, in either place."""
    assert [distance.errors for distance in distances([one, other], [other, one])] == [0, 0]


@pytest.mark.parametrize("other", ["one, two, three, four, six", "one two three four", "no one", "five"])
def test_other_numbers_are_other_words(other: str) -> None:
    """Nothing is equal that was not said."""
    assert distances(["1, 2, 3, 4, 5."], [other])[0].errors > 0


def test_no_one_is_not_a_number() -> None:
    """A lone one stays a word."""
    assert normalised(["No one is here."]) == ["no one is here"]


@pytest.mark.parametrize(
    ("language", "numbers"),
    [
        ("de", {0: "null", 16: "sechzehn", 21: "einundzwanzig", 30: "dreißig", 77: "siebenundsiebzig", 100: "hundert",
                101: "einhunderteins", 205: "zweihundertfünf", 1999: "neunzehnhundertneunundneunzig",
                2026: "Zweitausendsechsundzwanzig", 31_000: "einunddreißigtausend"}),
        ("es", {15: "quince", 16: "dieciséis", 21: "veintiún", 31: "treinta y uno", 100: "cien", 115: "ciento quince",
                500: "quinientas", 721: "setecientos veintiuno", 2026: "dos mil veintiséis", 1000: "mil"}),
        ("fr", {17: "dix-sept", 21: "vingt et un", 61: "soixante-et-une", 71: "soixante et onze", 80: "quatre-vingts",
                81: "quatre-vingt-un", 91: "quatre-vingt-onze", 99: "quatre-vingt-dix-neuf", 95: "nonante-cinq",
                72: "septante-deux", 200: "deux cents", 203: "deux cent trois", 1998: "mille neuf cent nonante-huit",
                80_000: "quatre-vingt mille"}),
        ("it", {21: "ventuno", 23: "ventitré", 28: "ventotto", 33: "trentatré", 108: "centotto", 101: "centouno",
                180: "centottanta", 245: "duecentoquarantacinque", 1861: "milleottocentosessantuno",
                2026: "duemilaventisei", 120: "cento venti"}),
        ("pt", {14: "catorze", 16: "dezesseis", 17: "dezassete", 22: "vinte e dois", 42: "quarenta e duas",
                100: "cem", 121: "cento e vinte e um", 2026: "dois mil e vinte e seis",
                1999: "mil novecentos e noventa e nove"}),
        ("nl", {21: "eenentwintig", 22: "tweeëntwintig", 33: "drieëndertig", 88: "achtentachtig", 101: "honderdeen",
                1984: "negentienhonderdvierentachtig", 2026: "tweeduizend zesentwintig"}),
        ("sv", {21: "tjugoett", 47: "fyrtiosju", 101: "etthundraett", 225: "tvåhundratjugofem", 1000: "ettusen",
                21_000: "tjugoettusen", 2026: "tvåtusen tjugosex"}),
        ("pl", {12: "dwanaście", 25: "dwadzieścia pięć", 242: "dwieście czterdzieści dwie",
                5016: "pięć tysięcy szesnaście", 2000: "dwa tysiące"}),
        ("ru", {14: "четырнадцать", 21: "двадцать одна", 40: "сорок", 316: "триста шестнадцать",
                1945: "тысяча девятьсот сорок пять", 2026: "Две тысячи двадцать шесть"}),
        ("tr", {11: "on bir", 34: "otuz dört", 100: "yüz", 256: "iki yüz elli altı", 1923: "bindokuzyüzyirmiüç"}),
        ("hi", {5: "पाँच"}),
        ("ar", {3: "ثلاثة"}),
    ],
)  # fmt: skip
def test_languages_know_their_own_number_words(language: str, numbers: dict[int, str]) -> None:
    """Those that are made by rule, those that are not, in one word or several; the reference is either form."""
    assert normalised(list(numbers.values()), "words", language) == [str(value) for value in numbers]
    words, digits = ([f"x {one} y" for one in side] for side in (numbers.values(), numbers))
    assert not any(distance.errors for distance in distances(words, digits, "words", language))


@pytest.mark.parametrize(
    ("language", "digits", "words"),
    [
        ("de", "Meine Nummer ist 4 7 1 1.", "Meine Nummer ist vier sieben eins eins"),
        ("de", "Das macht 49 Euro 90.", "Das macht neunundvierzig Euro neunzig."),
        ("es", "Mi número es el 6 0 2.", "Mi número es el seis, cero, dos."),
        ("fr", "Je suis au 06 12 34 99.", "Je suis au zéro six, douze, trente-quatre, quatre-vingt-dix-neuf."),
        ("es", "Cuesta 3 mil euros", "cuesta tres mil euros"),
        ("de", "1.250 Euro", "eintausendzweihundertfünfzig Euro"),
    ],
)
def test_a_call_is_the_same_whoever_writes_digits(language: str, digits: str, words: str) -> None:
    """Ids that are read digit by digit, prices, phone numbers; an error beside them is still one."""
    assert [one.errors for one in distances([digits, words], [words, digits], "words", language)] == [0, 0]
    assert distances([digits], [f"{words} bitte"], "words", language)[0].errors == 1


@pytest.mark.parametrize(
    ("language", "words", "written"),
    [
        ("de", "um zehn ein Tisch", "um 10 ein tisch"),  # "um" is one in Portuguese
        ("de", "zwischen hundert und zweihundert", "zwischen 100 und 200"),
        ("de", "tausendmal hundertste zweifach", "tausendmal hundertste zweifach"),
        ("es", "treinta uno", "301"),
        ("es", "una mesa y un vaso", "una mesa y un vaso"),
        ("pt", "entre cem e duzentos", "entre 100 e 200"),
        ("it", "cinquanta cent", "50 cent"),
        ("", "zwei drei", "zwei drei"),
    ],
)
def test_what_is_no_number_stays_as_it_is(language: str, words: str, written: str) -> None:
    """Articles, words that begin like numbers, two numbers beside each other, words of another language or of none."""
    assert normalised([words], "words", language) == [written]


@pytest.mark.parametrize(
    ("numerals", "digits"),
    [
        ("三十五", "35"),
        ("十二", "12"),
        ("二零二六", "2026"),
        ("一百零二", "102"),
        ("两万三千", "23000"),
        ("二十", "20"),
    ],
)
def test_chinese_numerals_are_digits(numerals: str, digits: str) -> None:
    """By place, or sign by sign."""
    assert normalised([f"{numerals}个人"], "characters") == [" ".join(f"{digits}个人")]
