"""Thoughts and tags: `<think>` and kin, `<|...|>`, HTML, and what models without tags of their own write in brackets.

    thought     <think> ... </think>, <reasoning>, <|thinking|> ... <|/thinking|>, <|begin_of_thought|> ...
                <|channel|>analysis<|message|> ... final<|message|> (harmony), <|channel>thought ... <channel|> (Gemma)
                [THINK] ... [/THINK] (Magistral), tool calls written out as text
                left out with all that is in it; one that is never closed goes to the end
    tag         any other: left out, what it encloses is said
    no tag      `a < b`, `<3`: said

A closing tag alone (some servers swallow the opening one) is left out; what stood before it may have been said by then.
"""

import re

from agents.speakable.step import WAIT, Step, Verdict, View

LONGEST = 160
"""Characters between angle brackets, or in square ones; what is longer is text. The longest real tag here has 60."""

_NAMES = (
    "think|thinks|thinking|thought|thoughts|reason|reasoning|reasoning_scratchpad|reflection|reflect|scratchpad|"
    "analysis|planning|inner_monologue|monologue|tool_call|tool_calls|function_call|tool_code|tool_response"
)
_THOUGHT = re.compile(rf"<\|?(?:\w+:)?(?:begin_of_|start_of_|begin_)?(?:{_NAMES})(?:\s[^<>]*)?\|?>", re.I)
_THOUGHT_OVER = re.compile(rf"<\|?(?:/|end_of_|end_)(?:\w{{1,20}}:)?(?:{_NAMES})\s?\|?>", re.I)
_SPANS = (
    # In harmony whatever is not in the channel `final` is a thought or a call of a function.
    (re.compile(r"<\|(?:channel|start)\|>", re.I), re.compile(r"final\s{0,4}<\|message\|>", re.I)),
    (re.compile(r"<\|channel>", re.I), re.compile(r"<channel\|>", re.I)),
    (_THOUGHT, _THOUGHT_OVER),
)
_TAG = re.compile(r"""<[|$].*[|$]>|</?[a-z][\w:.-]*\s*[|/]?>|<[a-z][\w:.-]*\s+[\w:-]+\s*=.*>""", re.I)
_OPENED = (
    ("<!--", re.compile("-->"), False),
    ("[THINK]", re.compile(r"\[/THINK\]"), True),
    ("◁think▷", re.compile("◁/think▷"), True),
)
_TAG_OVER = re.compile(r"[<>\n]")
_BEGINS_TAG = re.compile(r"<[a-z|/$]", re.I)


def opened(view: View) -> Verdict:
    """Decide about thoughts and comments that open with fixed characters."""
    for mark, over, thought in _OPENED:
        if view.text.startswith(mark):
            return Step(taken=len(mark), left_out=mark, apart=True, until=over, thought=thought)
    return WAIT if any(view.could_be(mark) for mark, _, _ in _OPENED) else None


def tags(view: View) -> Verdict:
    """Decide about what stands in angle brackets."""
    text = view.text
    if len(text) == 1:
        return None if view.final else WAIT
    if not _BEGINS_TAG.match(text):
        return None
    end = _TAG_OVER.search(text, 1)
    if end is None:
        return None if view.final or len(text) > LONGEST else WAIT
    tag = text[: end.end()]
    if len(tag) > LONGEST:
        return None
    for opening, over in _SPANS:
        if opening.fullmatch(tag):
            return Step(taken=len(tag), left_out=tag, apart=True, until=over, thought=True)
    return Step(taken=len(tag), left_out=tag, apart=True) if _TAG.fullmatch(tag) else None
