"""Forms with files as browsers send them (RFC 7578): what transcription servers take sound in."""

from collections.abc import Mapping

_BOUNDARY = "duplex-simulator-part-7a1c0f5e"
"""It stands in no WAV and no text that is sent; one that is always the same keeps requests the same."""


def form(fields: Mapping[str, str], file_field: str, file: bytes) -> tuple[str, bytes]:
    """Give the content type and the body of a form with one sound file."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    disposition = f'form-data; name="{file_field}"; filename="speech.wav"'
    head = f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: audio/wav\r\n\r\n"
    parts.append(head.encode() + file + b"\r\n")
    return f"multipart/form-data; boundary={_BOUNDARY}", b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
