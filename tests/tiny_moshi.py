"""Makes a tiny Moshi of random weights in a folder, a file for each part, in Kyutai's names."""

import json
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "dim": 64,
    "text_card": 320,
    "existing_text_padding_id": 3,
    "n_q": 16,
    "dep_q": 8,
    "card": 2048,
    "num_heads": 4,
    "num_layers": 2,
    "hidden_scale": 4.125,
    "causal": True,
    "layer_scale": None,
    "context": 250,
    "max_period": 10000,
    "gating": "silu",
    "norm": "rms_norm_f32",
    "positional_embedding": "rope",
    "depformer_dim": 32,
    "depformer_dim_feedforward": 128,
    "depformer_num_heads": 2,
    "depformer_num_layers": 2,
    "depformer_layer_scale": None,
    "depformer_multi_linear": True,
    "depformer_context": 8,
    "depformer_max_period": 10000,
    "depformer_gating": "silu",
    "depformer_pos_emb": "none",
    "depformer_weights_per_step": True,
    "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
}
WIDTH = 32
MIMI_CONFIG: dict[str, Any] = {
    "sample_rate": 24000,
    "channels": 1,
    "frame_rate": 12.5,
    "seanet": {
        "channels": 1,
        "dimension": WIDTH,
        "causal": True,
        "n_filters": 2,
        "n_residual_layers": 1,
        "activation": "ELU",
        "compress": 2,
        "dilation_base": 2,
        "disable_norm_outer_blocks": 0,
        "kernel_size": 7,
        "residual_kernel_size": 3,
        "last_kernel_size": 3,
        "norm": "none",
        "pad_mode": "constant",
        "ratios": [8, 6, 5, 4],
        "true_skip": True,
    },
    "quantizer": {
        "dimension": 16,
        "n_q": 8,
        "bins": 2048,
        "input_dimension": WIDTH,
        "output_dimension": WIDTH,
    },
    "transformer": {
        "d_model": WIDTH,
        "num_heads": 2,
        "num_layers": 1,
        "causal": True,
        "layer_scale": 0.01,
        "context": 250,
        "conv_layout": True,
        "max_period": 10000,
        "gating": "none",
        "norm": "layer_norm",
        "positional_embedding": "rope",
        "dim_feedforward": 64,
        "input_dimension": WIDTH,
        "output_dimensions": [WIDTH],
    },
}
SENTENCES = (
    "good morning how can I help you",
    "could you tell me a little more about it",
    "the naïve café costs 20 €, nothing else",
    "I would like to book a table for two people tonight",
)


def make(folder: Path) -> Path:
    """Write config.json, mimi.json and the three files they name; the folder."""
    import torch
    from safetensors.torch import save_model

    from agents.duplex.moshi_parts import Checkpoint, lm_sizes, load_lm, load_mimi, moshi_scope

    folder.mkdir(parents=True, exist_ok=True)
    names = {"mimi_name": "mimi.safetensors", "mimi_config_name": "mimi.json", "tokenizer_name": "text.model"}
    config = CONFIG | {"text_card": make_vocabulary(folder / "text")} | names
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mimi.json").write_text(json.dumps(MIMI_CONFIG))
    with moshi_scope(1, graphs=False):
        device = torch.device("cpu")
        save_model(load_lm(None, lm_sizes(config, None), "fp32", device), str(folder / "model.safetensors"))
        save_model(load_mimi(Checkpoint(mimi_config=MIMI_CONFIG), device), str(folder / "mimi.safetensors"))
    return folder


def make_vocabulary(prefix: Path) -> int:
    """Train a sentencepiece vocabulary with bytes, in Moshi's numbering; its size."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 8),
        model_prefix=str(prefix),
        vocab_size=320,
        byte_fallback=True,
        hard_vocab_limit=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        minloglevel=2,
    )
    return int(sentencepiece.SentencePieceProcessor(f"{prefix}.model").vocab_size())
