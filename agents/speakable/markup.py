"""Markup, lists, emoji and stage directions: what Markdown and chat habits put around words.

at a line's beginning   `# `, `> `, `- ` and other bullets: left out; numbers of a list are said
                        --- *** ===: left out as a line; | a | b |: said as `a, b`; ``` ... ```: left out whole
anywhere                ** __ ~~ `: left out, the words are said; [text](address): the text is said
                        [anything else], emoji: left out
*words*                 a stage direction (left out) where they stand beside a sentence, else emphasis (said)
arithmetic and names    3 * 4, 2**3, a_b, a|b, ~5: said
"""

import re

from agents.speakable.step import WAIT, Step, Verdict, View
from agents.speakable.tags import LONGEST

BULLETS = "-*+•◦▪‣·"
EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u266c\u2670-\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\u231a\u231b\u23e9-\u23fa\ufe0f\u20e3]"
)
_RULE = "-*_=|:+ \t"
_FENCE = "```"
_FENCE_OVER = re.compile(r"\n[ \t]{0,8}```")
_ESCAPED = set("\\`*_{}[]()#+-.!|>~<")
_BRACKETS = {"[": re.compile(r"[\n\[\]]"), "【": re.compile(r"[\n\[】]")}
"""What opens a bracket, and what it ends at: its closing, or what no bracket of ours holds."""
_LINK = re.compile(r"\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)")
LONGEST_ADDRESS = 500
_STAR_OR_LINE = re.compile(r"[*\n]")
_STAGED = re.compile(
    r"(?:\w+ly )?(?:laugh|chuckl|giggl|sigh|cough|smil|nods|nodding|wav(?:es|ing)|paus|grin|gasp|wink|clear(?:s|ing) |"
    r"whisper|shrug|sniff|yawn|hums|humming|groan|sob|cries|crying|breath|inhal|exhal|typ(?:es|ing)|beep|silence|music|"
    r"applause|click|lean(?:s|ing)|look(?:s|ing) )",
    re.I,
)
_BESIDE = ".!?…"
"""Behind one of these, or at a line's beginning, a stage direction stands beside the sentences."""


def emoji(view: View) -> Verdict:
    """Leave out emoji, one character at a time: their parts may come in pieces. (The joiner is a letter elsewhere.)"""
    joins = view.text[0] == "\u200d" and view.before == " "
    return Step(taken=1, left_out=view.text[0], apart=True) if joins or EMOJI.match(view.text) else None


def line_marks(view: View) -> Verdict:
    """Decide about what only means something where a line begins."""
    if not view.fresh:
        return None
    for rule in (_fence, _ruled, _table, _heading, _bullet):
        verdict = rule(view)
        if verdict is not None:
            return verdict
    return None


def _fence(view: View) -> Verdict:
    if not view.could_be(_FENCE):
        return None
    line = view.line()
    if line is None:
        return WAIT
    # Closed on its own line, or never: no block but words in marks.
    if _FENCE in line[len(_FENCE) :] or len(line) == len(view.text):
        return None
    return Step(taken=len(line), left_out=line, apart=True, until=_FENCE_OVER)


def _ruled(view: View) -> Verdict:
    run = view.run(_RULE)
    if not run or (len(run) == len(view.text) and not view.final):
        return WAIT if run else None
    whole = view.text[len(run) : len(run) + 1] in ("", "\n")
    marks = len(run.replace(" ", "").replace("\t", ""))
    return Step(taken=len(run), left_out=run.strip(), apart=True) if whole and marks >= 3 else None


def _table(view: View) -> Verdict:
    if view.text[0] != "|":
        return None
    line = view.line()
    if line is None:
        return WAIT
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return Step(taken=len(line), again=", ".join(filter(None, cells)), left_out="|" * line.count("|"), apart=True)


def _heading(view: View) -> Verdict:
    run = view.run("#") or view.run(">")
    if not run or (len(run) == len(view.text) and not view.final):
        return WAIT if run else None
    spaced = view.text[len(run) : len(run) + 1].isspace()
    return Step(taken=len(run), left_out=run, apart=True) if spaced and len(run) <= 6 else None


def _bullet(view: View) -> Verdict:
    if view.text[0] not in BULLETS:
        return None
    if len(view.text) == 1:
        return None if view.final else WAIT
    return Step(taken=1, left_out=view.text[0], apart=True) if view.text[1] in " \t" else None


def escapes(view: View) -> Verdict:
    r"""Say `\*` as `*`."""
    if len(view.text) == 1:
        return None if view.final else WAIT
    return Step(taken=2, said=view.text[1], left_out="\\") if view.text[1] in _ESCAPED else None


def brackets(view: View) -> Verdict:
    """Leave out what stands in brackets, but say the text of a link; `!` before one makes it an image."""
    image = view.text[0] == "!"
    text = view.text[image:]
    if not text:
        return None if view.final else WAIT
    if text[0] not in _BRACKETS:
        return None
    end = _BRACKETS[text[0]].search(text, 1)
    if end is None and not view.final and len(text) <= LONGEST:
        return WAIT
    if end is None or end[0] in "\n[" or end.end() > LONGEST:
        return None if image else Step(taken=1, left_out=text[0], apart=True)
    link = _link(text[end.end() :], final=view.final)
    if link is None:
        return WAIT
    if link:
        taken = image + end.end() + len(link)
        return Step(taken=taken, again="" if image else text[1 : end.start()], left_out=link, apart=image)
    return None if image else Step(taken=end.end(), left_out=text[: end.end()], apart=True)


def _link(text: str, *, final: bool) -> str | None:
    """Give the address behind a bracket, in its parentheses; empty: there is none; None: not decided."""
    if not text.startswith("("):
        return None if not text and not final else ""
    found = _LINK.match(text)
    undecided = not final and "\n" not in text and len(text) <= LONGEST_ADDRESS
    # A parenthesis may go on behind the first `)`: `(a(b)c)`; found whole, it does not.
    return found[0] if found and len(found[0]) <= LONGEST_ADDRESS else None if undecided else ""


def asterisks(view: View) -> Verdict:
    """Decide about `**bold**`, `*emphasis*`, `*stage directions*` and `3 * 4`."""
    run = view.run("*")
    after = view.text[len(run) : len(run) + 1]
    if not after and not view.final:
        return WAIT
    if _calculates(view.before, after, len(run)):
        return Step(taken=len(run), said=run)
    if len(run) == 1 and after and not after.isspace() and not view.before.isalnum():
        return _starred(view)
    return Step(taken=len(run), left_out=run)


def _calculates(before: str, after: str, marks: int) -> bool:
    if before.isspace() or marks > 1:
        return (before.isspace() and after.isspace()) or (before.isdigit() and after.isdigit())
    return before.isalnum() and after.isalnum()


def _starred(view: View) -> Verdict:
    text, lone = view.text, Step(taken=1, left_out="*")
    end = _STAR_OR_LINE.search(text, 1)
    if end is None:
        return lone if view.final or len(text) > LONGEST else WAIT
    inner, behind = text[1 : end.start()], text[end.end() :]
    if end[0] == "\n" or inner[-1].isspace():
        return lone
    follows = behind.lstrip(" ")
    if not follows and not view.final:
        return WAIT
    if behind[:1] == "*" or behind[:1].isalnum():
        return lone
    if _is_direction(view, inner, follows[:1]):
        return Step(taken=end.end(), left_out=text[: end.end()], apart=True)
    return Step(taken=end.end(), again=inner, left_out="*")


def _is_direction(view: View, inner: str, follows: str) -> bool:
    """Whether words in stars are done and not said: `Hello! *waves*`, but `That is *so* good.`, `*Never* do that.`"""
    if _STAGED.match(inner):
        return True
    beside = view.fresh or view.last in _BESIDE
    return beside and (inner[0].islower() or not follows or follows == "\n" or follows.isupper())


def word_marks(view: View) -> Verdict:
    """Leave out `__`, `~~`, backticks and bars, but say them inside a word: `a_b`, `a|b`; `~5` is a number."""
    mark = view.text[0]
    run = view.run(mark)
    after = view.text[len(run) : len(run) + 1]
    if not after and not view.final:
        return WAIT
    inside = mark in "_|" and view.before.isalnum() and after.isalnum()
    if inside or (mark == "~" and len(run) == 1):
        return None
    return Step(taken=len(run), left_out=run, apart=mark == "|")
