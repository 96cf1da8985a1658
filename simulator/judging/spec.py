"""The judge of a scenario: which model is asked, how often, what it gets, and whether its word may stop a release.

judge:
  base_url: "http://127.0.0.1:11434/v1"
  model: llama3.2
  votes: 3
  calibration: calibration.json      # written by `simulate judge calibrate`; without it the judge informs
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from simulator.cassettes.recording import kept_calls
from simulator.cassettes.store import Cassettes, Record
from simulator.errors import ScenarioError
from simulator.reading.secrets import names
from simulator.reading.yaml_file import parse_yaml
from simulator.scoring.judge_endpoint import FILE, EndpointJudge, EndpointSettings, reply_folder
from simulator.spec import Convert, Duration, Written
from simulator.texts import quoted

Hears = Literal["text", "stereo", "user", "agent"]
Votes = Annotated[int, Meta(ge=1, le=99)]
SEVERAL = 0.7
"""The temperature of several votes: at 0 they would be one vote said again."""


class JudgeSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A judge behind an OpenAI-compatible chat endpoint.

    base_url: None for OpenAI's own. api_key_env: the environment variable with the key; without it OpenAI gets
    OPENAI_API_KEY, and nobody else gets a key. votes: how often each question is asked. temperature: unless said, 0 for
    one vote and 0.7 for several. hears: the transcript, or sound: both channels, or one party's. retries: how often a
    request that failed is tried again, after ever longer waits, and how often a vote is asked for again whose reply is
    none. max_tokens: of an answer, thoughts included. prompt_suffix: what every question ends with. json: ask the
    server to let it answer in JSON alone. record: whether kept replies are used (simulator/cassettes). gate: its word
    counts although nobody calibrated it. calibration: the file that says how far it can be believed. model: its name.
    seed: sent with each question. timeout: for an answer.
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    votes: Votes = 1
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    seed: int = 0
    hears: Hears = "text"
    timeout: Duration = Duration(60.0)
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    prompt_suffix: str = ""
    json: bool = False
    record: Record = "missing"
    gate: bool = False
    calibration: Path | None = None

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("model is empty; name the model to ask")
        url = self.base_url
        if url is not None and not names(url) and not url.startswith(("http://", "https://")):
            raise ValueError(f"base_url {quoted(url)} is no http or https URL")

    def settings(self, votes: int) -> EndpointSettings:
        """Give how the endpoint is asked for so many votes; each asking has a seed of its own."""
        options: dict[str, Any] = {} if self.max_tokens is None else {"max_tokens": self.max_tokens}
        if self.json:
            options["response_format"] = {"type": "json_object"}
        heat = (0.0 if votes == 1 else SEVERAL) if self.temperature is None else self.temperature
        return EndpointSettings(
            model=self.model,
            base_url=self.base_url,
            key_env=self.api_key_env,
            temperature=heat,
            seed=self.seed,
            seed_step=1,
            timeout_s=float(self.timeout),
            options=options,
            retries=self.retries,
            prompt_suffix=self.prompt_suffix,
        )

    def open(self) -> EndpointJudge:
        """Give the judge, whose replies are kept in the user's cache. ScenarioError when its key is not set."""
        store = kept_calls()
        if store is not None:
            return EndpointJudge(self.settings(self.votes), store)
        folder = reply_folder()
        files = [] if folder is None else [folder / FILE]
        store = Cassettes(files, keep=files[0] if files else None, record=self.record)
        return EndpointJudge(self.settings(self.votes), store)


if TYPE_CHECKING:
    AnyJudge = JudgeSpec
else:

    class AnyJudge(Written):
        """A judge as it is written: a mapping, or `MODEL@URL`, or `MODEL` at OpenAI."""

        struct = JudgeSpec

        @classmethod
        def __decode__(cls, value: object, convert: Convert) -> JudgeSpec:
            if isinstance(value, str) and value.lstrip().startswith("{"):
                value = _flow(value)
            if isinstance(value, str):
                model, at, url = value.rpartition("@")
                value = {"model": model, "base_url": url} if at else {"model": value}
            if not isinstance(value, dict) or "model" not in value:
                raise ValueError(f"expected MODEL@URL or a mapping with a model, found {quoted(value)}")
            return convert(value, JudgeSpec)


def _flow(text: str) -> object:
    try:
        return parse_yaml(text, source=f"{quoted(text)} cannot be read")
    except ScenarioError as error:
        raise ValueError(str(error)) from error


def need_judge(judge: JudgeSpec | None, whose: str) -> JudgeSpec:
    """Give the judge; ScenarioError where there is none. whose: what needs it."""
    if judge is None:
        raise ScenarioError(f"{whose} needs a judge; name one: judge: {{model: ..., base_url: ...}}")
    return judge
