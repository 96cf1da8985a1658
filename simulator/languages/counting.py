"""Counting: the number words of languages, as far as rules make them (0 to 999,999 of the western ones).

English is not here: Whisper's rules read it. Nor are languages that no rule covers: Hindi has a word of its own for
each number up to a hundred, in several spellings, and Arabic words follow gender and case, so of both only the first
eleven are known; Korean has two rows of numbers, and many of their signs are ordinary words.

Not known either are cases (Russian `двадцати`, Polish `dwudziestu`), ordinals, fractions, what is said of the clock.
"""

from collections.abc import Mapping

import msgspec


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """How a language counts. A row has one entry a value, with `/` between words of the same value, `_` for a space.

    small: 0, 1, 2 ... up to where the tens begin to be made by rule. tens: 20, 30 ... 90. joined: how a unit stands
    with a ten. units: 1 to 9 as they stand inside larger numbers, where they are not those of `small`; an article
    (`ein`, `een`) is a number only there. elides: tens and hundreds lose their vowel before another. hundreds: 100, 200
    ... 900, or one entry that is multiplied. thousand: what is multiplied. glue: what may stand between hundreds or
    thousands and what is less. more: what no rule makes.
    """

    small: str
    tens: str = ""
    joined: tuple[str, ...] = ("{ten} {unit}",)
    units: str = ""
    elides: bool = False
    hundreds: str = ""
    thousand: str = ""
    glue: tuple[str, ...] = (" ",)
    more: Mapping[str, int] = {}


def row(entries: str) -> list[list[str]]:
    """Give the words of each value of a row."""
    return [[word.replace("_", " ") for word in entry.split("/")] for entry in entries.split()]


_GERMAN = Counting(
    small="null eins zwei/zwo drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn",
    tens="zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    joined=("{unit}und{ten}",),
    units="ein zwei/zwo drei vier fünf sechs sieben acht neun",
    hundreds="hundert",
    thousand="tausend",
    glue=("", " ", "und"),
)
_SPANISH = Counting(
    small="cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte veintiuno/veintiún/veintiuna veintidós veintitrés veinticuatro veinticinco "
    "veintiséis veintisiete veintiocho veintinueve",
    tens="veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    joined=("{ten} y {unit}",),
    units="uno/un/una dos tres cuatro cinco seis siete ocho nueve",
    hundreds="ciento doscientos/doscientas trescientos/trescientas cuatrocientos/cuatrocientas quinientos/quinientas "
    "seiscientos/seiscientas setecientos/setecientas ochocientos/ochocientas novecientos/novecientas",
    thousand="mil",
    more={"cien": 100},
)
_FRENCH_TEENS = "dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf"
# Belgium and Switzerland have words of their own for 70 and 90, some cantons one for 80.
_FRENCH_TENS = "vingt trente quarante cinquante soixante septante quatre_vingt/huitante/octante nonante"
_FRENCH = Counting(
    small=f"zéro un deux trois quatre cinq six sept huit neuf {_FRENCH_TEENS}",
    tens=_FRENCH_TENS,
    units="un/une deux trois quatre cinq six sept huit neuf",
    hundreds="cent/cents",
    thousand="mille",
    more={"quatre vingts": 80, "soixante et onze": 71}
    | {f"{ten} {word}": value + place
       for ten, value in (("soixante", 70), ("quatre vingt", 90))
       for place, (word,) in enumerate(row(_FRENCH_TEENS))}
    | {f"{ten} et {one}": 10 * place + 1
       for place, tens in enumerate(row(_FRENCH_TENS), 2) for ten in tens for one in ("un", "une")},
)  # fmt: skip
_ITALIAN = Counting(
    small="zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove",
    tens="venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    joined=("{ten}{unit}",),
    units="uno/un/una due tré/tre quattro cinque sei sette otto nove",
    elides=True,
    hundreds="cento",
    thousand="mille/mila",
    glue=("", " "),
)
_PORTUGUESE = Counting(
    small="zero um dois/duas três quatro cinco seis sete oito nove dez onze doze treze catorze/quatorze quinze "
    "dezasseis/dezesseis dezassete/dezessete dezoito dezanove/dezenove",
    tens="vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    joined=("{ten} e {unit}",),
    units="um/uma dois/duas três quatro cinco seis sete oito nove",
    hundreds="cento duzentos/duzentas trezentos/trezentas quatrocentos/quatrocentas quinhentos/quinhentas "
    "seiscentos/seiscentas setecentos/setecentas oitocentos/oitocentas novecentos/novecentas",
    thousand="mil",
    glue=(" ", " e "),
    more={"cem": 100},
)
_DUTCH = Counting(
    small="nul één twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien "
    "zeventien achttien negentien",
    tens="twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    joined=("{unit}en{ten}", "{unit}ën{ten}"),
    units="een/één twee drie vier vijf zes zeven acht negen",
    hundreds="honderd",
    thousand="duizend",
    glue=("", " ", "en"),
)
_SWEDISH = Counting(
    small="noll ett två tre fyra fem sex sju åtta nio tio elva tolv tretton fjorton femton sexton sjutton arton nitton",
    tens="tjugo trettio fyrtio femtio sextio sjuttio åttio nittio",
    joined=("{ten}{unit}",),
    units="ett/en/et två tre fyra fem sex sju åtta nio",  # of the three t of etttusen one is dropped
    hundreds="hundra",
    thousand="tusen",
    glue=("", " "),
)
_POLISH = Counting(
    small="zero jeden dwa/dwie trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście trzynaście "
    "czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście",
    tens="dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt "
    "dziewięćdziesiąt",
    hundreds="sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset",
    thousand="tysiąc/tysiące/tysięcy",
)
_RUSSIAN = Counting(
    small="ноль/нуль один два/две три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать "
    "четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать",
    tens="двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
    units="один/одна/одно/одну два/две три четыре пять шесть семь восемь девять",
    hundreds="сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
    thousand="тысяча/тысячи/тысяч/тысячу",
)
_TURKISH = Counting(
    small="sıfır bir iki üç dört beş altı yedi sekiz dokuz on on_bir/onbir on_iki/oniki on_üç/onüç on_dört/ondört "
    "on_beş/onbeş on_altı/onaltı on_yedi/onyedi on_sekiz/onsekiz on_dokuz/ondokuz",
    tens="yirmi otuz kırk elli altmış yetmiş seksen doksan",
    joined=("{ten} {unit}", "{ten}{unit}"),
    hundreds="yüz",
    thousand="bin",
    glue=("", " "),
)
COUNTINGS: Mapping[str, Counting] = {
    "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH, "it": _ITALIAN, "pt": _PORTUGUESE, "nl": _DUTCH, "sv": _SWEDISH,
    "pl": _POLISH, "ru": _RUSSIAN, "tr": _TURKISH,
    "hi": Counting(small="शून्य एक दो तीन चार पाँच/पांच छह/छः सात आठ नौ दस"),
    "ar": Counting(small="صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة"),
}  # fmt: skip
"""By the code of the language."""
