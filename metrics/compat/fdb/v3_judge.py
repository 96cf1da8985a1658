"""Full-Duplex-Bench v3's judge: are a call's arguments what was meant, and does the answer do what was asked for?

Nothing of the benchmark is shipped (CC BY-NC): where `checkout` names the user's copy, the questions are put in the
words of its v3/evaluate_tool_calls, which is read and never run; else in words of ours. Request and reply are the
script's: gpt-4o, temperature 0, 200 tokens, a JSON object with `correct` and `explanation`, fences around it or not.
"""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from simulator.cassettes.cassette import Cassette
from simulator.cassettes.store import Cassettes, Record
from simulator.errors import RemoteError, ScenarioError, SessionError
from simulator.judging.spec import JudgeSpec
from simulator.scoring.judge import ReadyReplies
from simulator.scoring.judge_endpoint import FILE, EndpointJudge
from simulator.session import Session
from simulator.texts import quoted
from simulator.world.fdb_v3 import folder_of

MODULE = "evaluate_tool_calls"
SCRIPT = f"{MODULE}.py"
TEMPERATURE, MOST_TOKENS = 0.0, 200
"""The script's request."""

_QUESTIONS = {"llm_judge_argument": "arguments", "llm_judge_response": "response"}
_PLACES = {
    "function_name": "function",
    "json.dumps(expected_args)": "expected",
    "json.dumps(actual_args)": "made",
    "expected_intent": "expected",
    "actual_transcript": "said",
}
"""What the script fills its questions with, by our names."""

ARGUMENTS = """\
A voice assistant was to call a function with certain arguments, and it called it with others or the same. Say \
whether a person who knows what was wanted would accept them.

The function: {function}
Wanted: {expected}
Given: {made}

Other ways to write the same are right: dates and names in another form or in short, letters in another case, blanks \
for underscores, numbers that differ by less than a twentieth. What is wanted as `$...` comes out of the answer to an \
earlier call: any value that could do so is right. Arguments that were not asked for do not matter; one that is \
missing is wrong.

Answer with one JSON object and nothing else: {{"correct": true or false, "explanation": "half a sentence"}}"""

RESPONSE = """\
A user asked a voice assistant for something. You get an answer that would have been right, and what the assistant \
said, as it was recognised. Say whether it did, or is plainly doing, all of what was asked for.

A right answer: {expected}
Said: {said}

More details than in the right answer are no fault. It is wrong to refuse, to say that it cannot be done, to do \
something else (another place, another document), and to do a part of it alone.

Answer with one JSON object and nothing else: {{"correct": true or false, "explanation": "half a sentence"}}"""


Arguments = Mapping[str, Any]


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """Both questions, with places in braces, and whose words they are."""

    arguments: str = ARGUMENTS
    response: str = RESPONSE
    whose: str = "our own words"


def read_wording(checkout: Path | None) -> Wording:
    """Give the checkout's questions, ours without one. ScenarioError: its script does not hold them."""
    if checkout is None:
        return Wording()
    path = folder_of(checkout) / SCRIPT
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in _QUESTIONS]
    found = {_QUESTIONS[node.name]: text for node in functions if (text := _prompt(node)) is not None}
    missing = [name for name, question in _QUESTIONS.items() if question not in found]
    if missing:
        raise ScenarioError(f"{path}: has no prompt in {', '.join(missing)} that can be filled as it is known")
    return Wording(**found, whose=f"the words of {path.name}")


def _prompt(function: ast.FunctionDef) -> str | None:
    """Give the text that a function calls `prompt`, its places by our names; None where one is not known."""
    given = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    prompt = next((node.value for node in given if ast.unparse(node.targets[0]) == "prompt"), None)
    parts = [_part(part) for part in prompt.values] if isinstance(prompt, ast.JoinedStr) else [None]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _part(part: ast.expr) -> str | None:
    if isinstance(part, ast.Constant):
        return str(part.value).replace("{", "{{").replace("}", "}}")
    place = _PLACES.get(ast.unparse(part.value)) if isinstance(part, ast.FormattedValue) else None
    return None if place is None else f"{{{place}}}"


class V3Judge:
    """Asks about sessions, one after the other.

    wording: how. replies, problems: what was answered about the present one, and why an answer was none.
    """

    def __init__(
        self, judge: EndpointJudge | ReadyReplies, wording: Wording, *, strict: bool, record: Record = "missing"
    ) -> None:
        """strict: a verdict is true or false alone. record: whether kept replies are used."""
        self.wording = wording
        self.replies: list[str] = []
        self.problems: list[str] = []
        self._judge = judge
        self._strict = strict
        self._record = record
        self._asked = 0
        self._stores: list[Cassettes] = []

    @property
    def used(self) -> list[Cassette]:
        """What was asked so far, and answered."""
        return [cassette for store in self._stores for cassette in store.used]

    def begin(self, session: Session) -> None:
        """Go on to a session; replies that lie beside it are looked up first."""
        self._session, self._asked = session.id, 0
        self.replies, self.problems = [], []
        if isinstance(self._judge, EndpointJudge):
            store = Cassettes([session.folder / FILE], record=self._record, behind=self._judge.kept)
            self._judge.cassettes = store
            self._stores.append(store)

    def arguments(self, function: str, expected: Arguments, made: Arguments) -> bool | None:
        """Say whether a call's arguments are what was meant; None without a verdict."""
        told = {"function": function, "expected": json.dumps(expected), "made": json.dumps(made)}
        # The script takes an argument's verdict apart by both keys, and a response's by the first alone.
        return self._verdict(self.wording.arguments.format(**told), keys={"correct", "explanation"})

    def response(self, expected: str, said: str) -> bool | None:
        """Say whether what was said does what was asked for; None without a verdict."""
        return self._verdict(self.wording.response.format(expected=expected, said=said), keys=set())

    def _verdict(self, text: str, keys: set[str]) -> bool | None:
        self._asked += 1
        try:
            reply = self._judge.ask(self._session, [{"role": "user", "content": text}], self._asked - 1)
        except (RemoteError, SessionError) as error:
            self.problems.append(str(error))
            return None
        if reply is None:
            self.problems.append("no judge reply is given")
            return None
        self.replies.append(reply)
        verdict = read_verdict(reply, keys, strict=self._strict)
        if verdict is None:
            self.problems.append(f"the reply {quoted(reply)} holds no verdict")
        return verdict


def read_verdict(reply: str, keys: set[str], *, strict: bool) -> bool | None:
    """Read `correct` out of a reply; None where it is no JSON object with these keys.

    strict: it is true or false; else whatever counts as such, as in Python, and nothing is false.
    """
    lines = reply.strip().splitlines()
    if lines and lines[0].startswith("```"):
        lines = lines[1:-1] if lines[-1].strip().startswith("```") else lines[1:]
    try:
        found = json.loads("\n".join(lines))
    except ValueError:
        return None
    if not isinstance(found, dict) or not keys <= found.keys():
        return None
    value = found.get("correct")
    return value if isinstance(value, bool) else None if strict else bool(value)


def open_v3_judge(
    replies: Path | None, judge: JudgeSpec | None, checkout: Path | None, *, strict: bool
) -> V3Judge | None:
    """Open the judge that a scorer's options name; None where they name none. ScenarioError: one that cannot be."""
    if replies is not None:
        return V3Judge(ReadyReplies.read(replies), read_wording(checkout), strict=strict)
    if judge is None:
        return None
    asked = judge.open()
    heat = TEMPERATURE if judge.temperature is None else judge.temperature
    options = {**asked.settings.options, "max_tokens": judge.max_tokens or MOST_TOKENS}
    asked.settings = msgspec.structs.replace(asked.settings, temperature=heat, options=options)
    return V3Judge(asked, read_wording(checkout), strict=strict, record=judge.record)
