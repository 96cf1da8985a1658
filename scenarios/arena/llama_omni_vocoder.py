"""LLaMA-Omni's units to sound, with fairseq's vocoder as the model's own demo has it.

LLAMA_OMNI_VOCODER is the folder with `g_00500000` and `config.json` (unit HiFi-GAN, HuBERT base layer 11, 1,000 units).
Needs torch and the fairseq of LLaMA-Omni's instructions in this environment.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

UNIT_HZ = 16_000


def speak(units: list[int]) -> tuple[Any, int]:
    """Give the sound of one answer's units: float32 (n,), and its rate in Hz."""
    import torch

    with torch.inference_mode():
        sound = _vocoder()({"code": torch.LongTensor(units)[None]}, dur_prediction=True)
    return sound.cpu().numpy().ravel(), UNIT_HZ


@cache
def _vocoder() -> Any:
    from fairseq.models.text_to_speech.vocoder import CodeHiFiGANVocoder

    folder = Path(os.environ["LLAMA_OMNI_VOCODER"])
    return CodeHiFiGANVocoder(str(folder / "g_00500000"), json.loads((folder / "config.json").read_text()))
