"""Base64 of any length, a piece at a time: a large text holds up no other thread while it is read or written."""

import binascii

from agents.remote.long_text import LongText

PIECE = 2**18
"""Characters: well under a millisecond's work."""

_BLANKS = b" \t\r\n\v\f"
_EITHER = bytes.maketrans(b"-_", b"+/")


def base64_bytes(text: str | LongText, *, url_alphabet: bool = False) -> bytes:
    """Decode base64, blanks in it ignored. url_alphabet: `-` and `_` are read too. ValueError for anything else."""
    table = _EITHER if url_alphabet else None
    decoded: list[bytes] = []
    rest = b""
    padded = False
    for start in range(0, len(text), PIECE):
        told = text[start : start + PIECE]
        piece = rest + (told.encode("ascii") if isinstance(told, str) else told).translate(table, _BLANKS)
        whole = len(piece) // 4 * 4 if start + PIECE < len(text) else len(piece)
        if padded and piece:
            raise binascii.Error("Excess data after padding")
        decoded.append(binascii.a2b_base64(piece[:whole], strict_mode=True) if whole else b"")
        padded, rest = padded or piece[:whole].endswith(b"="), piece[whole:]
    return b"".join(decoded)


def base64_text(data: bytes) -> str:
    """Encode in base64."""
    return b"".join(base64_pieces(data)).decode("ascii")


def base64_pieces(data: bytes) -> list[bytes]:
    """Encode in base64, in pieces that follow each other."""
    size = PIECE // 4 * 3
    return [binascii.b2a_base64(data[start : start + size], newline=False) for start in range(0, len(data), size)]
