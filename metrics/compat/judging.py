"""How a compatibility scorer's options become a judge."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.errors import RemoteError, ScenarioError, SessionError
from simulator.scoring.judge import Judge, Messages
from simulator.scoring.judge_endpoint import EndpointSettings, open_judge
from simulator.spec import Convert
from simulator.texts import quoted

_RETRIES = 5


class JudgeAddress:
    """`judge=MODEL`, `judge=MODEL@URL`, `judge=URL`, or a mapping with these names: who is asked.

    model: empty where the original's own is meant. base_url: None for OpenAI's own. key_env: the variable with the key.
    prompt_suffix: what every question ends with.
    """

    __slots__ = ("base_url", "key_env", "model", "prompt_suffix")

    def __init__(
        self, model: str = "", base_url: str | None = None, key_env: str | None = None, prompt_suffix: str = ""
    ) -> None:
        self.prompt_suffix = prompt_suffix
        self.model = model
        self.base_url = base_url
        self.key_env = key_env

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "JudgeAddress":
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = json.loads(value)
        if isinstance(value, str):
            model, at, url = value.rpartition("@")
            is_url = "://" in value
            return cls(model if at else "" if is_url else value, url if is_url else None)
        if isinstance(value, dict) and value.keys() <= set(cls.__slots__):
            texts = {name: text for name, text in value.items() if isinstance(text, str)}
            if len(texts) == len(value):
                return cls(**texts)
        raise ValueError(f"expected MODEL, MODEL@URL, or {', '.join(cls.__slots__)}; found {quoted(value)}")

    def __encode__(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JudgeAddress) and self.__encode__() == other.__encode__()

    def __hash__(self) -> int:
        return hash((self.model, self.base_url))

    def settings(self, model: str, options: Mapping[str, Any]) -> EndpointSettings:
        """Give how it is asked. model: where none is named. options: parameters of the request."""
        return EndpointSettings(
            model=self.model or model,
            base_url=self.base_url,
            key_env=self.key_env,
            seed=None,
            options=dict(options),
            retries=_RETRIES,
            prompt_suffix=self.prompt_suffix,
        )


def judge_at(
    replies: Path | None, address: JudgeAddress | None, model: str, options: Mapping[str, Any]
) -> Judge | None:
    """Give the judge that judge_replies=FILE or judge=... names; None without. options: the original's request."""
    if address is None:
        return open_judge(replies, None)
    return open_judge(replies, address.settings(model, options))


def polled(judge: Judge, row_id: str, messages: Messages, count: int) -> list[str]:
    """Ask a judge so often about a row; SessionError when it fails or no reply is given."""
    try:
        replies = list(judge.poll(row_id, messages, count))
    except RemoteError as error:
        raise SessionError(str(error)) from error
    if not replies:
        raise SessionError("no judge reply is given")
    return replies


def judge_of(
    replies: Path | None,
    model: str | None,
    url: str | None,
    *,
    seed: int | None,
    seed_step: int = 0,
    suffix: str = "",
    key_env: str | None = None,
) -> Judge | None:
    """Give the judge that judge_replies=FILE, or judge_model=M with judge_url=U, names; None without.

    suffix: what every question ends with. key_env: the variable with the endpoint's key.
    """
    if url is not None and model is None and replies is None:
        raise ScenarioError("judge_url is given without judge_model: name the model to ask")
    if model is None:
        return open_judge(replies, None)
    settings = EndpointSettings(
        model=model, base_url=url, key_env=key_env, seed=seed, seed_step=seed_step, prompt_suffix=suffix
    )
    return open_judge(replies, settings)


def read_instruction(path: Path | None) -> str | None:
    """Read instruction=FILE: the judge's instruction, such as the original's own from a checkout."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"instruction={path}: cannot be read as text") from error
