"""What of a chat model's text is said aloud: thoughts, markup, lists, emoji and stage directions are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.speakable.stream import Speakable, speakable

PARTS = [
    *"ab 3.!*_`~|<>[]()/\\#-\n:=A\u200d\ufe0f",
    *["😀", "👩", "<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "final<|message|>", "<|", "|>"],
    *["```", "**", "[x](y)", "![a](b)", "*waves*", "\n- ", "\n| a | b |\n", "---\n"],
    *["<!--", "-->", "◁think▷", "【4】", "<b>"],
]  # fmt: skip
SENTENCE = st.text(alphabet="abcXYZ äßéñ日本0123456789.,;?'’“”\"$€£%&@/()—", max_size=80)

EXAMPLES = {
    "<think>The user asks about hours.</think>**We** open at six. 😀 [pause]": "We open at six.",
    "<thinking>\nHm.\n</thinking>\n\nYes.": "Yes.",
    "<reasoning effort='low'>Hm.</reasoning>Yes.": "Yes.",
    "Sure. <think>never closed, and more": "Sure.",
    "no opening tag</think> Yes.": "no opening tag Yes.",
    "<|begin_of_thought|>Hm.<|end_of_thought|>Yes.<|im_end|>": "Yes.",
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>": "Yes.",
    "[THINK]Hm.[/THINK]Yes.": "Yes.",
    '<tool_call>{"name": "look_up"}</tool_call>': "",
    "# Hours\n\n- **Mon**: nine\n* Tue: *ten*\n1. Ask us.": "Hours\nMon: nine\nTue: ten\n1. Ask us.",
    "| Day | Opens |\n|-----|-------|\n| Mon | nine |\nThat is all.": "Day, Opens\nMon, nine\nThat is all.",
    "See [our site](https://x.org/a_(b)) now. ![a map](m.png)": "See our site now.",
    "Run `ls`, __then__ ~~stop~~ go.": "Run ls, then stop go.",
    "Like this:\n```python\nprint(1)\n```\nDone.": "Like this:\nDone.",
    "Hello😀world 👨‍👩‍👧 and 1️⃣ more ☎!": "Hello world and 1 more!",
    "*laughs* Hello! *waves* That is *so* good. *Never* do that.": "Hello! That is so good. Never do that.",
    "We open *smiles* at six [laughs softly], Sir.": "We open at six, Sir.",
    "un**believ**able <b>and</b> so on<br/>": "unbelievable and so on",
    r"3 \* 4": "3 * 4",
}


@pytest.mark.parametrize("written", EXAMPLES)
def test_what_is_no_speech_is_left_out(written: str) -> None:
    """The words that were meant to be heard remain, with one space between them."""
    assert speakable(written)[0] == EXAMPLES[written]


@pytest.mark.parametrize(
    "written",
    [
        "3 * 4 is 12, 3*4 too, 2**3 is 8, and 5 < 6 > 2.",
        "It's $5.50 - or £3 (about 20% off) at #1, a_b, a|b, <3, ~5 and AT&T!",
        "-5 degrees, e.g. in the '90s; rock 'n' roll — it’s user@example.com.",
        "Two  spaces,\n\ttabs and\n\nempty lines.",
    ],
)
def test_plain_speech_with_signs_in_it_passes_unchanged(written: str) -> None:
    """Arithmetic, money, apostrophes and names are said as they were written."""
    assert speakable(written) == (written, [])


@given(SENTENCE)
def test_plain_sentences_pass_unchanged(written: str) -> None:
    """Every character of them, spaces at the edges too."""
    stream = Speakable()
    assert stream.feed(written) + stream.finish() == written
    assert stream.left_out == []


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join), st.lists(st.integers(1, 5), min_size=1))
def test_any_cut_of_a_text_is_said_alike(written: str, lengths: list[int]) -> None:
    """Tags, links and marks that come in pieces are the same tags, links and marks."""
    stream, said, rest = Speakable(), "", written
    while rest:
        for length in lengths:
            said += stream.feed(rest[:length])
            rest = rest[length:]
    said += stream.finish()
    assert (said.strip(), stream.left_out) == speakable(written)


def test_what_was_left_out_is_kept_in_order() -> None:
    """A thought is one piece with its tags."""
    assert speakable("<think>A. B.</think>**Yes** 😀")[1] == ["<think>A. B.</think>", "**", "**", "😀"]


def test_a_sentence_is_given_before_the_next_is_whole() -> None:
    """Waiting for the end of the reply would be waiting for its last sentence."""
    stream = Speakable()
    assert stream.feed("**Yes.** It is") == "Yes. It is"


def test_a_reply_of_thoughts_only_is_known_as_such() -> None:
    """A stage direction is no thought: the model answered."""
    for written, thinks in {
        "<think>Hm.</think>\n": True,
        "": True,
        "[nods]": False,
        "<think>Hm.</think>No.": False,
    }.items():
        stream = Speakable()
        stream.feed(written)
        stream.finish()
        assert stream.thinks is thinks
