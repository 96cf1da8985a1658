"""Specs of voices and recognisers behind a server: what they have in common is that they can be probed."""

import anyio

from simulator.engines.kinds import RecognizerSpec, VoiceSpec


class FarVoiceSpec(VoiceSpec, frozen=True, kw_only=True, omit_defaults=True):
    """A voice of a speech server; its engine can ask for a test sentence."""

    async def probe(self) -> str:
        """Have the test sentence said, and say in a sentence what came. RemoteError."""
        return str(await anyio.to_thread.run_sync(lambda: self.build().probe()))  # type: ignore[attr-defined]  # FarVoice


class FarRecognizerSpec(RecognizerSpec, frozen=True, kw_only=True, omit_defaults=True):
    """A recogniser of a speech server; its engine can send a test sentence."""

    async def probe(self) -> str:
        """Have the test sentence recognised, and say in a sentence what came. RemoteError."""
        return str(await anyio.to_thread.run_sync(lambda: self.build().probe()))  # type: ignore[attr-defined]  # FarRecognizer
