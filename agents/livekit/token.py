"""Tokens of LiveKit's: a JWT (HS256) that lets a participant into a room, and calls an agent there.

Source: livekit-api 1.2's AccessToken; RFC 7519, RFC 7515.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

LASTS_S = 6 * 3600
"""As the official libraries have it."""


class RoomGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Who may enter which room. agent_name: whom to call explicitly, with `metadata`; None: whoever comes by itself."""

    room: str
    identity: str
    agent_name: str | None = None
    metadata: str = ""
    attributes: Mapping[str, str] = {}


def claims_of(grant: RoomGrant, key: str, now_s: int) -> dict[str, Any]:
    """Give the claims. key: the API key's name; now_s: seconds since 1970."""
    claims: dict[str, Any] = {
        "iss": key,
        "sub": grant.identity,
        "nbf": now_s,
        "exp": now_s + LASTS_S,
        "video": {
            "roomJoin": True, "room": grant.room, "canPublish": True, "canSubscribe": True, "canPublishData": True,
        },
    }  # fmt: skip
    if grant.attributes:
        claims["attributes"] = dict(grant.attributes)
    if grant.agent_name is not None:
        agent = {"agentName": grant.agent_name, **({"metadata": grant.metadata} if grant.metadata else {})}
        claims["roomConfig"] = {"agents": [agent]}
    return claims


def signed(claims: Mapping[str, Any], secret: str) -> str:
    """Give the token: header, claims and HMAC-SHA256, each in base64url without padding."""
    told = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{told}.{_coded(hmac.digest(secret.encode(), told.encode(), 'sha256'))}"


def _part(value: Mapping[str, Any]) -> str:
    return _coded(msgspec.json.encode(value))


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
