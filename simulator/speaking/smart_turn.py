"""End of turn by Smart Turn's model: a turn that sounds complete is answered soon, any other given more time."""

from pathlib import Path
from typing import Annotated, Any

import msgspec

from simulator.engines.smart_turn_model import complete, load, model_file
from simulator.frame import Samples
from simulator.speaking.endpointing import EndpointingSpec
from simulator.spec import Duration, ms


class SmartTurnSpec(EndpointingSpec, frozen=True, kw_only=True, tag="smart_turn", omit_defaults=True):
    """A model judges each pause: `endpointing: smart_turn`, with pipecat-ai's package installed or a model's path.

    after: into a pause, when it is judged. threshold: how probably complete a turn is that is over then. incomplete:
    the silence that ends any other (default: three times `endpoint`). model: its `.onnx` file (default: the installed
    package's).
    """

    model: Path | None = None
    after: Duration = ms(200)
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    incomplete: Duration | None = None

    def check(self) -> None:
        """Refuse a model that is not there, or is none."""
        load(self.model or model_file())

    def warm(self) -> None:
        """Load the model."""
        self.check()

    def build(self, endpoint: Duration) -> "SmartTurn":
        """Make it."""
        patience = self.incomplete if self.incomplete is not None else Duration(3 * endpoint)
        return SmartTurn(self, Duration(max(patience, self.after)))


class SmartTurn:
    """Judges a pause by the model."""

    def __init__(self, spec: SmartTurnSpec, patience: Duration) -> None:
        self.looks_after = spec.after
        self._spec = spec
        self._patience = patience

    def silence(self, samples: Samples, sample_rate: int) -> Duration:
        """No more than there is where the turn is complete."""
        session: Any = load(self._spec.model or model_file())
        over = complete(session, samples, sample_rate) > self._spec.threshold
        return self.looks_after if over else self._patience
