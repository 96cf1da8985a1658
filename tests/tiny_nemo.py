"""Builds a NemotronVoiceChat of 0.14 M random parameters, offline; needs NeMo."""

from pathlib import Path
from typing import Any

WIDTH = 32
TEXT_TOKENS = 320
CODEBOOKS, CODES = 3, 32


def language_model(folder: Path) -> Path:
    """Write the sizes of a tiny Llama and a fast tokenizer of 320 tokens: marks, letters, words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    letters = list("abcdefghijklmnopqrstuvwxyz0123456789")
    words = ["<unk>", "<s>", "</s>", "<SPECIAL_12>", *letters]
    words += [f"w{index}" for index in range(TEXT_TOKENS - len(words))]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<SPECIAL_12>"
    ).save_pretrained(folder)
    LlamaConfig(
        vocab_size=TEXT_TOKENS,
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        bos_token_id=1,
        eos_token_id=2,
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(folder)
    return folder


def config(folder: Path) -> dict[str, Any]:
    """The configuration of the whole model; `folder` holds the language model's sizes."""
    backbone = {
        "hidden_size": WIDTH,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "use_cache": False,
    }
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<SPECIAL_12>"}
    logs = {"explicit_log_dir": str(folder)}
    stt = {
        "pretrained_llm": str(folder),
        "pretrained_weights": False,
        "predict_user_text": True,
        "source_sample_rate": 16_000,
        "validation_save_path": str(folder),
        **tokens,
        "perception": {
            "_target_": "nemo.collections.speechlm2.modules.perception.AudioPerceptionModule",
            "preprocessor": {
                "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
                "features": 80,
                "dither": 0.0,
                "pad_to": 0,
            },
            "encoder": {
                "_target_": "nemo.collections.asr.modules.ConformerEncoder",
                "feat_in": 80,
                "d_model": WIDTH,
                "n_heads": 2,
                "n_layers": 1,
                "subsampling_factor": 8,
                "subsampling_conv_channels": 16,
            },
            "modality_adapter": {
                "_target_": "nemo.collections.speechlm2.modules.perception.IdentityConnector",
                "d_model": WIDTH,
            },
            "output_dim": WIDTH,
        },
    }
    tts = {
        "pretrained_lm_name": str(folder),
        **tokens,
        "audio_codec_run_dtype": "float32",
        "inference_guidance_scale": 0.5,
        "inference_noise_scale": 0.8,
        "inference_top_p_or_k": 0.8,
        "codec_config": {
            "latent_size": 16,
            "n_fft": 16,
            "hop_length": 4,
            "base_hidden_size": 8,
            "channel_mult": [1, 1, 1],
            "rates": [7, 7, 9],
            "num_blocks": 1,
            "kernel_size": 3,
            "groups": 1,
            "codebook_size": CODES,
            "num_quantizers": CODEBOOKS,
            "wav_to_token_ratio": 1764,
        },
        "tts_config": {
            "use_gated_fusion_for_text_audio": True,
            "disable_eos_prediction": True,
            "use_bos_eos_emb": True,
            "use_subword_flag_emb": True,
            "num_delay_speech_tokens": 2,
            "backbone_type": "gemma3_text",
            "backbone_config": backbone,
            "latent_size": 16,
            "codebook_size": CODES,
            "num_quantizers": CODEBOOKS,
            "context_hidden_size": None,
            "cas_config": {
                "backbone_type": "t5gemma",
                "backbone_config": {"is_encoder_decoder": False, "encoder": backbone},
            },
            "mog_head_config": {
                "intermediate_size": 64,
                "num_layers": 1,
                "low_rank": 8,
                "num_predictions": 16,
                "min_log_std": -4.0,
                "eps": 1e-6,
            },
            "p_uncond": 0.1,
            "label_smoothing": 0.01,
            "max_training_rate": 0.8,
            "quantizer_dropout": 0.5,
            "random_target_masking": False,
            "exponent": 3.0,
        },
    }
    rates = {"frame_length": 0.08, "source_sample_rate": 16_000, "target_sample_rate": 22_050}
    speech = {"model": tts, "data": {**rates, "audio_prompt_duration": 0.8}, "exp_manager": logs}
    whole = {"scoring_asr": "none", "stt": {"model": stt}, "speech_generation": speech}
    return {"model": whole, "data": rates, "exp_manager": logs}


def make(folder: Path) -> Any:
    """Build the model, always the same one, ready to be asked."""
    import torch
    from nemo.collections.speechlm2.models.nemotron_voicechat import NemotronVoiceChat

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NemotronVoiceChat(config(language_model(folder))).eval()
