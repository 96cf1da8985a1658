"""What every served protocol declares: its keys, where its clients look for it, what it can offer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from simulator.actor import ActorSpec, Setting
from simulator.errors import ScenarioError
from simulator.scenario import check_actor
from simulator.serving.service import Service
from simulator.spec import Spec

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


class ServerSpec(Spec, frozen=True, kw_only=True):
    """What every served protocol's spec has; a protocol adds its keys (`simulate serve ... --set key=value`).

    default_port: where its clients look for it. frame_ms: its sessions' frame. realtime: they run on the wall
    clock. path, websocket: what its clients connect to, to be shown. message_bytes: of a WebSocket message at most.
    """

    default_port: ClassVar[int] = 8000
    frame_ms: ClassVar[float] = 20.0
    realtime: ClassVar[bool] = False
    path: ClassVar[str] = ""
    websocket: ClassVar[bool] = False
    message_bytes: ClassVar[int] = 2**20

    def check(self, actor: ActorSpec) -> None:
        """Refuse an actor that this protocol cannot offer: ScenarioError."""
        if actor.traits().own_time and not self.realtime:
            raise ScenarioError(
                "the actor has its own real time, but clients of this protocol are served on the "
                "virtual clock; serve it as openai_realtime"
            )
        setting = Setting(
            party="agent",
            where="$.agent",
            sample_rate=24_000,
            frame_ms=self.frame_ms,
            realtime=self.realtime,
            line_has_channels=False,
        )
        check_actor(actor, setting)

    def offered(self, actor: ActorSpec) -> ActorSpec:
        """Give the actor as this protocol's settings want it."""
        return actor

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """Give the protocol's starlette routes; `/health` is the door's unless the protocol has one."""
        raise NotImplementedError
