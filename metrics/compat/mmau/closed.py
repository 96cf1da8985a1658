"""MMAU-Pro's closed questions: which of the choices an answer means."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from metrics.compat.judging import JudgeAddress
from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets
from simulator.scoring.judge_endpoint import endpoint_key

Choose = Callable[[str, Sequence[str]], str | None]
"""Give the choice that an answer means, None where it means none."""

MODEL = "nvidia/NV-Embed-v2"
_LETTER = re.compile(r"\(?([A-Za-z])(?:[).:,]|$)")


def chosen(answer: str, choices: Sequence[str]) -> str | None:
    """Give the choice that the answer is, or whose letter it begins with: `B`, `(b)`, `B. Piano`."""
    text = plain(answer)
    for choice in choices:
        if text == plain(choice):
            return choice
    letter = _LETTER.match(answer.strip())
    place = ord(letter[1].upper()) - ord("A") if letter else len(choices)
    return choices[place] if place < len(choices) else None


def plain(text: str) -> str:
    """Give a text without case, blanks around it and a final full stop."""
    return text.strip().removesuffix(".").strip().lower()


class Embeddings:
    """Choose by an embedding endpoint, as the originals do: the choice nearest to the answer, the first of several."""

    def __init__(self, address: JudgeAddress) -> None:
        import openai

        settings = address.settings(MODEL, {})
        self._model = settings.model
        url = Secrets().expand(settings.base_url) if settings.base_url else None
        key = endpoint_key(settings)
        self._client = openai.OpenAI(base_url=url, api_key=key, max_retries=settings.retries)

    def __call__(self, answer: str, choices: Sequence[str]) -> str | None:
        """Give the nearest choice; RemoteError when the endpoint fails."""
        import openai

        try:
            found = self._client.embeddings.create(model=self._model, input=[answer, *choices])
        except openai.OpenAIError as error:
            raise RemoteError(f"the embeddings of {self._model} failed: {type(error).__name__}") from error
        vectors = np.array([item.embedding for item in found.data], np.float64)
        if len(vectors) != len(choices) + 1:
            raise RemoteError(f"{self._model} gave {len(vectors)} embeddings for {len(choices) + 1} texts")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return choices[int(np.argmax(vectors[1:] @ vectors[0]))]
