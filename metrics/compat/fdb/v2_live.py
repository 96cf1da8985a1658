"""Full-Duplex-Bench v2's judge, asked about a session of ours: the rubrics and staged goals of a checkout.

Nothing of the benchmark is shipped (CC BY-NC): `checkout` names the user's copy, whose v2/eval/eval_prompts.json and
v2/prompts_staged_200.json are read. The user is its channel A (the examiner), the agent its channel B. The question has
the original's parts in its order (rubrics, the form of the answer, T1 to T4, both texts, B's words with times); what
stands between them is in words of ours.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.cassettes.cassette import Cassette
from simulator.cassettes.store import Cassettes
from simulator.datasets.fdb_v2 import TASKS, StagedTask, folder_of, read_object, read_tasks
from simulator.errors import RemoteError, ScenarioError, SessionError
from simulator.events import Party
from simulator.judging.spec import JudgeSpec
from simulator.scoring.judge import Messages
from simulator.scoring.judge_endpoint import FILE, EndpointJudge, UnreadableAnswerError
from simulator.session import Session
from simulator.speech import SpokenWord

PROMPTS = "eval/eval_prompts.json"
LONGEST_S = 120.0
"""Words that end later are left out, as by the original's runner."""
TEMPERATURE, MOST_TOKENS = 0.2, 20_000
"""The original's request."""
TRIES = 5
_PARTS = ("system_prompt", "turn_taking_fluency_prompt", "multi_turn_instruction_following_prompt",
          "output_format_prompt")  # fmt: skip
_FAMILY_IDS = {"entitytracking": "entity_tracking", "correction": "correction", "safety": "safety"}


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What of a checkout the judge is told: texts by name, the rubric of each family, the tasks by id."""

    texts: dict[str, str]
    rubrics: dict[str, str]
    tasks: dict[str, StagedTask]


def read_checkout(path: Path) -> Checkout:
    """Read a checkout, or its folder v2. ScenarioError names the file and what it lacks."""
    root = folder_of(path)
    prompts = read_object(root / PROMPTS)
    missing = [name for name in _PARTS if not isinstance(prompts.get(name), str)]
    if missing:
        raise ScenarioError(f"{root / PROMPTS}: has no {', '.join(missing)}")
    rubrics = {str(item.get("id")): str(item.get("prompt", ""))
               for item in prompts.get("task_specific_prompts", []) if isinstance(item, dict)}  # fmt: skip
    tasks = {task.id: task for task in read_tasks(root / TASKS)}
    return Checkout(texts={name: prompts[name].strip() for name in _PARTS}, rubrics=rubrics, tasks=tasks)


class V2Judge:
    """Asks about sessions. used: what was asked and answered so far."""

    def __init__(self, checkout: Checkout, judge: JudgeSpec, *, both_times: bool) -> None:
        """both_times: give the words of both channels with their times, which the original does for B alone."""
        self.used: list[Cassette] = []
        self._checkout = checkout
        self._spec = judge
        self._both_times = both_times
        self._open: EndpointJudge | None = None

    def reply(self, session: Session, task_id: str) -> str:
        """Give what the judge says of an annotated session. SessionError: an unknown task, no words, no answer."""
        task = self._checkout.tasks.get(task_id)
        if task is None:
            raise SessionError(f"{task_id!r} is no task of the checkout; task=ID says which one the session is of")
        asked = [{"role": "user", "content": self.question(session, task)}]
        judge = self._judge(session)
        try:
            return _whole_reply(judge, f"{session.id}: {task_id}", asked)
        finally:
            self.used += judge.cassettes.used

    def question(self, session: Session, task: StagedTask) -> str:
        """Give the whole question. SessionError where nobody knows the agent's words."""
        texts = self._checkout.texts
        user, agent = (_words(session, party) for party in ("user", "agent"))
        if not agent and session.speech.agent.segments:
            raise SessionError("nobody knows what the agent said: no words of it were told or recognised")
        rubric = self._checkout.rubrics.get(_FAMILY_IDS.get(task.family.lower().replace("_", ""), ""))
        parts = [*(texts[name] for name in _PARTS[:-1]), rubric, texts[_PARTS[-1]]]
        parts.append("\n".join(["The examiner's goals, stage by stage:", *_lines(task.goals.items())]))
        parts += [f"Channel A in words:\n{_text(user)}", f"Channel B in words:\n{_text(agent)}"]
        shown = {"A": user, "B": agent} if self._both_times else {"B": agent}
        parts += [f"Channel {name}, word by word with times in seconds:\n" + "\n".join(_timed(session, words))
                  for name, words in shown.items()]  # fmt: skip
        parts.append("Take the times of your events from those of channel B, and keep to the form of the answer.")
        return "\n\n".join(part for part in parts if part)

    def _judge(self, session: Session) -> EndpointJudge:
        """Give the endpoint, asked as the original asks unless the judge says otherwise."""
        if self._open is None:
            self._open = self._spec.open()
            heat = TEMPERATURE if self._spec.temperature is None else self._spec.temperature
            options = {**self._open.settings.options, "max_tokens": self._spec.max_tokens or MOST_TOKENS}
            self._open.settings = msgspec.structs.replace(self._open.settings, temperature=heat, options=options)
        store = Cassettes([session.folder / FILE], record=self._spec.record, behind=self._open.kept)
        self._open.cassettes = store
        return self._open


def _whole_reply(judge: EndpointJudge, what: str, asked: Messages) -> str:
    """Give the first reply that is whole. SessionError: none of TRIES is, or the endpoint failed."""
    problem: str | None = None
    for attempt in range(TRIES):
        try:
            (reply,) = judge.answers(what, asked, attempt)
        except UnreadableAnswerError as error:
            problem = str(error)
            continue
        except RemoteError as error:  # the client has tried again already
            raise SessionError(str(error)) from error
        problem = reply.problem
        if problem is None:
            return reply.text
    raise SessionError(f"the judge gave no reply in {TRIES} tries: {problem}")


def _words(session: Session, party: Party) -> list[SpokenWord]:
    last = round(LONGEST_S * session.sample_rate)
    return [word for word in session.speech.of(party).words if word.end <= last]


def _text(words: list[SpokenWord]) -> str:
    return " ".join(word.text for word in words)


def _timed(session: Session, words: list[SpokenWord]) -> Iterator[str]:
    for word in words:
        yield f"[{session.seconds(word.start):.2f}, {session.seconds(word.end):.2f}]: {word.text}"


def _lines(items: Any) -> list[str]:
    return [f"{name}: {text}" for name, text in items]
