"""How a compatibility scorer's options become a judge."""

from pathlib import Path

from simulator.errors import ScenarioError
from simulator.scoring.judge import Judge
from simulator.scoring.judge_endpoint import EndpointSettings, open_judge


def judge_of(
    replies: Path | None, model: str | None, url: str | None, *, seed: int | None, seed_step: int = 0
) -> Judge | None:
    """Give the judge that judge_replies=FILE, or judge_model=M with judge_url=U, names; None without."""
    if url is not None and model is None and replies is None:
        raise ScenarioError("judge_url is given without judge_model: name the model to ask")
    endpoint = None if model is None else EndpointSettings(model=model, base_url=url, seed=seed, seed_step=seed_step)
    return open_judge(replies, endpoint)


def read_instruction(path: Path | None) -> str | None:
    """Read instruction=FILE: the judge's instruction, such as the original's own from a checkout."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"instruction={path}: cannot be read as text") from error
