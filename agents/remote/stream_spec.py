"""What the specs of streams have in common: their traits, an address that can be dialled, no latency of ours."""

from urllib.parse import urlsplit

from simulator.actor import ActorSpec, Setting
from simulator.reading.secrets import mask_url, names
from simulator.traits import PartyTraits


def stream_traits(billed_as: str | None, *, takes_keys: bool) -> PartyTraits:
    """Give the traits of a far end with a real time of its own, and maybe prices."""
    billed = (billed_as,) if billed_as else ()
    return PartyTraits(own_time=True, deterministic=False, remote=True, billed_as=billed, takes_keys=takes_keys)


def check_latency(spec: ActorSpec, setting: Setting) -> None:
    """Refuse a latency that nobody could give a far end."""
    if spec.latency != "free":
        raise setting.refuse(".latency", "a far end with its own real time has its own latency; leave it out")


def check_socket_url(url: str, setting: Setting) -> None:
    """Refuse an address that is no WebSocket's; one with `${NAME}` in it is looked at when it is used."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine and not names(url):
        raise setting.refuse(".url", f"expected ws://host:port/path or wss://host/path, found {mask_url(url)!r}")
