"""What VoiceBench takes off an answer before it is read: marks that some models leave in their texts."""

_MARKERS = ("<1>", "<2>", "<3>")
_TURN = "<|user|>"


def without_marker(text: str) -> str:
    """Take off a leading <1>, <2> or <3>, and then the blanks around; a text without one keeps its blanks."""
    return text[3:].strip() if text.startswith(_MARKERS) else text


def without_turn(text: str) -> str:
    """Take off a final <|user|>, and then the blanks around."""
    return text.removesuffix(_TURN).strip() if text.endswith(_TURN) else text
