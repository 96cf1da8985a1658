"""A tau2-bench domain in a process of its own, run by the interpreter that its checkout is installed in.

Nothing of the simulator is imported here: it is not installed there. A line of JSON comes in, a line goes out:

    {"do": "open", "domain": "retail", "tasks": "retail", "task": "3"}       what it holds: tools, policy, scenario
    {"do": "call", "by": "assistant", "name": ..., "arguments": {...}}       {"content": ..., "error": false}
    {"do": "state"}                                              {"state": {"agent": ..., "user": ...}}
    {"do": "verdict"}                                            {"reward": 1.0, "basis": [...], "communicate": [...]}

What fails is answered with {"failed": sentence}. Whatever the checkout prints goes to standard error.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

ENDED = "user_stop"
"""A session of ours ends when its caller is done; any other reason would cost the whole reward."""
JUDGED_BY_ENVIRONMENT = ("DB", "ENV_ASSERTION")


class Domain:
    """One task of a domain: its environment, and the messages of the calls made in it."""

    def __init__(self, domain: str, task_set: str, task: str) -> None:
        from tau2.registry import registry

        self._name = domain
        named = task_set.endswith(".json")
        tasks = _tasks_in(domain, task_set) if named else _all_tasks(registry.get_tasks_loader(task_set))
        found = [one for one in tasks if str(one.id) == task] or _at(tasks, task)
        if not found:
            known = ", ".join(str(one.id) for one in tasks[:8])
            raise LookupError(f"{task_set} has no task {task!r}; there are {known} ...")
        self._task = found[0]
        self._env = registry.get_env_constructor(domain)()
        initial = self._task.initial_state
        self._messages: list[Any] = list((initial.message_history if initial else None) or [])
        self._env.set_state(
            initialization_data=initial.initialization_data if initial else None,
            initialization_actions=initial.initialization_actions if initial else None,
            message_history=self._messages,
        )

    def described(self) -> dict[str, Any]:
        """What the task holds."""
        user_tools = self._env.get_user_tools() if getattr(self._env, "user_tools", None) is not None else []
        return {
            "tools": [tool.openai_schema["function"] for tool in self._env.get_tools()],
            "user_tools": [tool.openai_schema["function"] for tool in user_tools],
            "policy": self._env.get_policy(),
            "scenario": str(self._task.user_scenario),
            "task": str(self._task.id),
        }

    def call(self, by: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool; what went wrong in it is an answer as well."""
        from tau2.data_model.message import AssistantMessage, ToolCall, UserMessage

        call = ToolCall(id=f"call_{len(self._messages)}", name=name, arguments=arguments, requestor=by)
        answer = self._env.get_response(call)
        kind = AssistantMessage if by == "assistant" else UserMessage
        self._messages += [kind(role=by, content=None, tool_calls=[call]), answer]
        return {"content": answer.content, "error": bool(answer.error)}

    def state(self) -> dict[str, Any]:
        """Both data bases as they stand."""
        user = getattr(self._env, "user_tools", None)
        return {"agent": _dumped(self._env.tools), "user": _dumped(user)}

    def verdict(self) -> dict[str, Any]:
        """What the benchmark's own evaluator makes of the calls; words are for whoever heard them."""
        criteria = self._task.evaluation_criteria
        basis = [str(getattr(item, "value", item)) for item in (criteria.reward_basis if criteria else [])]
        reward = 1.0
        for kind, parts in (("ENV", JUDGED_BY_ENVIRONMENT), ("ACTION", ("ACTION",))):
            if any(part in basis for part in parts):
                reward *= self._rewarded(kind)
        return {
            "reward": reward,
            "basis": basis,
            "communicate": list(criteria.communicate_info or []) if "COMMUNICATE" in basis else [],
            "language": list(criteria.nl_assertions or []) if "NL_ASSERTION" in basis else [],
        }

    def _rewarded(self, kind: str) -> float:
        from tau2.data_model.simulation import SimulationRun, TerminationReason
        from tau2.evaluator.evaluator import EvaluationType, evaluate_simulation

        run = SimulationRun(id="1", task_id=str(self._task.id), start_time="", end_time="", duration=0.0,
                            termination_reason=TerminationReason(ENDED), messages=self._messages)  # fmt: skip
        found = evaluate_simulation(simulation=run, task=self._task, evaluation_type=EvaluationType[kind],
                                    solo_mode=False, domain=self._name)  # fmt: skip
        return float(found.reward)


def _all_tasks(loader: Any) -> list[Any]:
    """Every task of a set, whatever its splits; some sets have none."""
    try:
        return list(loader(None))
    except TypeError:
        return list(loader())


def _tasks_in(domain: str, file: str) -> list[Any]:
    """The tasks of a file of the domain's, which no set is registered for."""
    from tau2.data_model.tasks import Task

    path = Path(os.environ["TAU2_DATA_DIR"]) / "tau2" / "domains" / domain / file
    return [Task.model_validate(task) for task in json.loads(path.read_text(encoding="utf-8"))]


def _at(tasks: list[Any], place: str) -> list[Any]:
    """The task at a place, where none has it for an id."""
    return [tasks[int(place)]] if place.isdigit() and int(place) < len(tasks) else []


def _dumped(tools: Any) -> Any:
    data = getattr(tools, "db", None)
    return data.model_dump(mode="json") if data is not None else {}


def main(checkout: Path, commands: TextIO, answers: TextIO) -> None:
    """Answer commands until there are none."""
    sys.path.insert(0, str(checkout / "src"))
    domain: Domain | None = None
    for line in commands:
        try:
            told = json.loads(line)
            if told["do"] == "open":
                domain = Domain(told["domain"], told["tasks"], told["task"])
            assert domain is not None
            answer = _done(domain, told)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side says whose fault it is
            answer = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _done(domain: Domain, told: dict[str, Any]) -> dict[str, Any]:
    if told["do"] == "open":
        return domain.described()
    if told["do"] == "call":
        return domain.call(told["by"], told["name"], told["arguments"])
    return {"state": domain.state()} if told["do"] == "state" else domain.verdict()


if __name__ == "__main__":
    # What the checkout prints must not come between the lines.
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(Path(sys.argv[1]), sys.stdin, own)
