"""Sentences of an English text as Punkt counts them (Kiss and Strunk 2006), with its English model in small.

A full stop ends a sentence unless it belongs to an abbreviation, an initial or a number; a word that begins sentences
after it, or is never written with a capital but there, ends one all the same. Of the model NLTK ships, the known
abbreviations and beginnings of sentences are here, and the spelling of some hundred frequent words; the spelling of the
other twenty thousand, which decides only after an abbreviation, and its 37 pairs of words are not.
"""

import re
from collections.abc import Iterator
from itertools import pairwise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ABBREVIATIONS = _words(
    """
a.a a.c a.d a.g a.h a.m a.m.e a.s a.t adm ala ariz aug ave b.f b.v bros c c.i.t c.o.m.b c.v calif chg cie co col
colo conn corp cos ct d d.c d.h d.w dec dr e e.f e.h e.l e.m f f.g f.j feb fla fri ft g g.d g.f g.k ga gen h h.c h.f
h.m i.m.s ill inc j.b j.c j.j j.k j.p j.r jan jr k kan ky l l.a l.f l.p lt ltd m m.b.a m.d.c m.j maj messrs mg mich
minn mr mrs ms n n.c n.d n.h n.j n.m n.v n.y nev nov oct ok okla ore p p.a.m p.m pa ph.d prof r r.a r.h r.i r.j r.k
r.t rep reps s s.a s.a.y s.c s.g s.p.a s.s sen sep sept sr st sw t t.j tenn tues u.k u.n u.s u.s.a u.s.s.r v va vs
vt w w.c w.r w.va w.w wash wed wis yr
"""
)
STARTERS = _words(
    """
according although among both but despite even he however i if in indeed instead it many meanwhile moreover most
nevertheless nonetheless nor sales separately similarly since so some the there these they this though thus under
when while yet
"""
)
LOWER_CASE = _words(
    """
above almost along already always anyone anything behind being better between certainly choose consider different
does doing done either else enjoy ensure ever example finally following her here hers him important indeed instead
into least mean moreover myself need nor nothing please put remember right same similarly simply so someone
sometimes soon still such thank thanks them themselves therefore things think though through thus together true try
unlike upon us using very were whether which whole whom within without yes yet your yourself
"""
)
"""Words that begin with a capital at the start of a sentence only."""
EITHER_CASE = LOWER_CASE | _words(
    """
a about across after again against all also although am among an and another any are around as at away back be
because been before below best both but by can come could day days did do down during each eat even every everyone
everything few find first for from fun further get give go good great had has have having he help his how however if
in is it its itself just keep kind know last later less let life like look made make makes making many may maybe me
might more most much must my never new next nice no nobody none not now of off often on once one only or other
others our out over own people perhaps possible rather read really say second see several shall she should since
small some something start sure take tell than that the their theirs then there these they thing third this those
three time to too two under until up use usually want was watch way we well what whatever when where while who whose
why will with work would write you yours
"""
)
"""Words that are written without a capital too: after an initial they begin a sentence, other words a surname."""

_NON_WORD = r"[)\";}\]*:@'({\[\u2018\u2019\u201c\u201d\xab\xbb!?]"
_RUN = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_END = re.compile(rf"[.?!](?=(?P<after>{_NON_WORD}|\s+(?P<next>\S+)))")
_TOKEN = re.compile(
    rf"{_RUN}|(?=[^(\"`{{\[:;&#*@)}}\]\-,])\S+?(?=\s|$|{_NON_WORD}|{_RUN}|,(?=$|\s|{_NON_WORD}|{_RUN}))|\S"
)
_CLOSING = re.compile(r"[\"')\]}\u2018\u2019\u201c\u201d\xab\xbb]+?(?:\s+|(?=--)|$)", re.MULTILINE)
_NUMBER = re.compile(r"-?[.,]?\d[\d,.-]*\.?$")
_INITIAL = re.compile(r"[^\W\d]\.$")
_INNER = frozenset(";:,.!?")


def sentence_count(text: str) -> int:
    """Give how many sentences a text has."""
    slices = list(_slices(text))
    count, shift = 0, 0
    for (first, end), following in zip(slices, [*slices[1:], None], strict=True):
        start = first + shift
        closing = _CLOSING.match(text[slice(*following)]) if following else None
        shift = closing.end() if closing else 0
        count += bool(closing or text[start:end])
    return count


def _slices(text: str) -> Iterator[tuple[int, int]]:
    """Give the stretches between the ends of sentences, before closing quotes and brackets are moved back."""
    start = 0
    for end, context in _candidates(text):
        if _ends(context):
            yield start, end.end()
            start = end.start("next") if end["next"] else end.end()
    yield start, len(text.rstrip())


def _candidates(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Give every mark that may end a sentence, with the word before and after; of a run of marks the last."""
    word = (0, 0)
    before: re.Match[str] | None = None
    for end in _END.finditer(text):
        space = max(text.rfind(blank, word[1], end.start()) for blank in " \t\n\r\x0b\x0c")
        start = space + 1 if space > word[1] else word[0]
        if before is not None and word[1] <= start:
            yield before, text[slice(*word)] + before[0] + before["after"]
        before, word = end, (start, end.start())
    if before is not None:
        yield before, text[slice(*word)] + before[0] + before["after"]


def _ends(context: str) -> bool:
    """Whether a sentence ends before the last token of a context."""
    return any(_breaks(token, following) for token, following in pairwise(_TOKEN.findall(context)))


def _breaks(token: str, following: str) -> bool:
    if token in ".?!":
        return True
    if not token.endswith("."):
        return False
    ellipsis = token.startswith("..")
    name = "##number##" if _NUMBER.match(token) else token[:-1].lower()
    known = name in ABBREVIATIONS or name.rpartition("-")[2] in ABBREVIATIONS
    abbreviation = not ellipsis and not token.endswith("..") and known
    ends = not ellipsis and not token.endswith("..") and not known
    spelling = _begins_sentence(following)
    if (abbreviation or ellipsis) and not _INITIAL.match(token):
        return spelling is True or (following[0].isupper() and following.lower() in STARTERS)
    if _INITIAL.match(token) or name == "##number##":
        ambiguous = bool(_INITIAL.match(token)) and spelling is None and following[0].isupper()
        if spelling is False or (ambiguous and following.lower() not in EITHER_CASE):
            return False
    return ends


def _begins_sentence(word: str) -> bool | None:
    """Whether the spelling of a word says that a sentence begins with it; None where it says nothing."""
    if word in _INNER:
        return False
    if word[0].isupper() and word.lower() in LOWER_CASE:
        return True
    return False if word[0].islower() else None
