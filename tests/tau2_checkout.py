"""A miniature tau2-bench checkout: the few names that are called of the real one, with one shop and a lamp.

    write_checkout(tmp_path / "checkout")
    world: {kind: tau2, path: ..., python: sys.executable, domain: shop, task: 0}

Its evaluator replays the calls on a fresh shop, refuses a trajectory whose tool messages do not follow their calls, and
gives nothing to a run that did not end by itself, as the real one does.
"""

from pathlib import Path

FILES = {
    "registry.py": """
from pathlib import Path
import os
from tau2.shop import Shop, TASKS

print("this goes to standard output, where the answers go")

class Registry:
    def get_tasks_loader(self, name):
        if name != "shop":
            raise KeyError(name)
        return lambda split: TASKS

    def get_env_constructor(self, name):
        assert Path(os.environ["TAU2_DATA_DIR"]).name == "data"
        assert "OPENAI_API_KEY" not in os.environ
        return lambda solo_mode=False: Shop()

registry = Registry()
""",
    "data_model/__init__.py": "",
    "data_model/message.py": """
class Said:
    def __init__(self, role, content=None, tool_calls=None):
        self.role, self.content, self.tool_calls = role, content, tool_calls

class AssistantMessage(Said): pass
class UserMessage(Said): pass

class ToolCall:
    def __init__(self, id, name, arguments, requestor="assistant"):
        self.id, self.name, self.arguments, self.requestor = id, name, arguments, requestor

class ToolMessage:
    def __init__(self, id, content, error, requestor):
        self.id, self.content, self.error, self.requestor, self.role = id, content, error, requestor, "tool"
""",
    "data_model/simulation.py": """
from enum import Enum

class TerminationReason(str, Enum):
    USER_STOP = "user_stop"
    MAX_STEPS = "max_steps"

class SimulationRun:
    def __init__(self, id, task_id, start_time, end_time, duration, termination_reason, messages):
        self.termination_reason, self.messages = termination_reason, messages
""",
    "evaluator/__init__.py": "",
    "evaluator/evaluator.py": """
from enum import Enum
from types import SimpleNamespace
from tau2.data_model.simulation import TerminationReason
from tau2.shop import Shop

class EvaluationType(str, Enum):
    ENV = "env"
    ACTION = "action"

def evaluate_simulation(simulation, task, evaluation_type, solo_mode, domain):
    if simulation.termination_reason is not TerminationReason.USER_STOP:
        return SimpleNamespace(reward=0.0)
    shop, messages = Shop(), list(simulation.messages)
    while messages:
        message = messages.pop(0)
        for call in message.tool_calls or []:
            told, answer = messages.pop(0), shop.get_response(call)
            if told.role != "tool" or told.id != call.id or told.content != answer.content:
                raise ValueError("the replay differs")
    wanted = Shop()
    for name, arguments in task.gold:
        getattr(wanted, "do_" + name)(**arguments)
    return SimpleNamespace(reward=float(shop.tools.db.lamps == wanted.tools.db.lamps))
""",
    "shop.py": """
import json
from enum import Enum
from types import SimpleNamespace
from tau2.data_model.message import AssistantMessage, ToolCall, ToolMessage, UserMessage

class RewardType(str, Enum):
    DB = "DB"
    COMMUNICATE = "COMMUNICATE"
    NL_ASSERTION = "NL_ASSERTION"

class Data:
    def __init__(self):
        self.lamps = {"7": {"price": 10, "sold": False}}
    def model_dump(self, mode):
        assert mode == "json"
        return {"lamps": self.lamps}

def schema(name, **properties):
    parameters = {"type": "object", "properties": properties, "required": list(properties), "title": "parameters"}
    function = {"name": name, "description": name + " a lamp.", "parameters": parameters}
    return SimpleNamespace(openai_schema={"type": "function", "function": function})

class Shop:
    def __init__(self):
        self.tools, self.user_tools = SimpleNamespace(db=Data()), SimpleNamespace(db=None)
    def set_state(self, initialization_data, initialization_actions, message_history):
        for message in message_history:
            for call in getattr(message, "tool_calls", None) or []:
                self.get_response(call)
    def get_policy(self):
        return "Sell lamps that are there."
    def get_tools(self):
        return [schema("sell", lamp={"type": "string"}), schema("price", lamp={"type": "string"})]
    def get_user_tools(self):
        return [schema("look")]
    def do_sell(self, lamp):
        if self.tools.db.lamps[lamp]["sold"]:
            raise ValueError("it is sold")
        self.tools.db.lamps[lamp]["sold"] = True
        return {"sold": lamp}
    def do_price(self, lamp):
        return str(self.tools.db.lamps[lamp]["price"])
    def do_look(self):
        return "a dark room"
    def get_response(self, call):
        try:
            said, error = getattr(self, "do_" + call.name)(**call.arguments), False
        except Exception as problem:
            said, error = f"Error: {problem}", True
        return ToolMessage(call.id, said if isinstance(said, str) else json.dumps(said), error, call.requestor)

def task(name, gold, basis, say=(), language=(), history=()):
    criteria = SimpleNamespace(reward_basis=[RewardType(one) for one in basis], communicate_info=list(say) or None,
                               nl_assertions=list(language) or None)
    initial = SimpleNamespace(initialization_data=None, initialization_actions=None, message_history=list(history))
    return SimpleNamespace(id=name, gold=gold, evaluation_criteria=criteria, user_scenario="You want a lamp.",
                           initial_state=initial if history else None)

SOLD = [("sell", {"lamp": "7"})]
TASKS = [
    task("buy", SOLD, ["DB", "COMMUNICATE"], say=["1,010 dollars"]),
    task("leave", [], ["DB"]),
    task("please", SOLD, ["DB", "NL_ASSERTION"], language=["The agent was polite."]),
    task("again", SOLD, ["DB"], history=[UserMessage("user", "Hello."), AssistantMessage("assistant", "Hi.")]),
]
""",
}


def write_checkout(folder: Path) -> Path:
    """Write the checkout; gives its folder."""
    (folder / "data").mkdir(parents=True)
    for name, text in FILES.items():
        path = folder / "src" / "tau2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "src" / "tau2" / "__init__.py").write_text("")
    return folder
