"""Traces: the messages of a remote party as they went over the wire, one JSON object per line of trace.jsonl.

The first record of a party is its header, written at `start`:

    {"trace": 1, "party": "agent", "protocol": "moshi", "version": 1, "spec": {"kind": "moshi", ...},
     "input_rate": 24000, "output_rate": 24000, "frame_samples": 1920}

`protocol` and `version` say how the messages are to be read, `spec` is the actor's spec with secrets
unexpanded (`${ENV}` as written; userinfo and key parameters of URLs masked). Then, in the order in which the
actor acted on them:

    {"party": "agent", "at": 5760, "dir": "received", "type": "audio", "data": "T2dnUw...", "arrived": 5911}
    {"party": "agent", "at": 5760, "dir": "sent", "type": "session.update", "json": {...}}
    {"party": "agent", "at": 24000, "dir": "heard", "samples": 24000, "sha256": "..."}

at: samples of the actor's own output stream (its `output_rate`): the start of the frame it was working on, -1 before
    its first step. Records of equal `at` are in file order. A replay acts on a message at the same frame, so the
    replayed sound does not depend on how fast anything ran.
dir: `received` from the far end, `sent` to it, `heard`: what the actor had heard so far (`samples` at its
    `input_rate`, sha256 of all of it as int16 little endian), about once a second and at the end.
type: the protocol's own word for the message. Its payload is `data` (base64 of bytes), `json`, or neither.
arrived: session samples at which a message really came in, on the wall clock only.
after_heard: whether it was acted on after the actor had heard that step's frame, just before it said the answer.

Sound that is sent is not repeated here: it is what was heard, and the session's audio holds it.

A remote kind takes part in replay by giving its spec a method `replay(trace: Trace) -> Actor`: an actor
without I/O that hands the `received` records to the protocol core, each in the step whose frame starts at its
`at`.
"""

import base64
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from simulator.actor import ActorSpec, Context
from simulator.errors import ScenarioError, SessionError
from simulator.events import Party
from simulator.files import decode_json
from simulator.frame import Samples, to_pcm16
from simulator.reading.secrets import Secrets, mask
from simulator.spec import encode

FORMAT = 1
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Direction = Literal["received", "sent", "heard"]


class TraceHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first record of a party: which protocol, which spec, which rates (Hz) and which frame (output samples)."""

    trace: int = FORMAT
    party: Party
    protocol: str
    version: int
    spec: dict[str, Any]
    input_rate: Count
    output_rate: Count
    frame_samples: Count


class TraceRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, or how far the actor had heard; see the module's text for the fields."""

    party: Party
    at: Annotated[int, msgspec.Meta(ge=-1, lt=2**53)]
    dir: Direction
    type: str = ""
    data: str | None = None
    json: Any = None
    samples: int | None = None
    sha256: str | None = None
    arrived: int | None = None
    after_heard: bool = False

    @property
    def payload(self) -> bytes:
        """The bytes of a binary message; empty when it had none. ScenarioError where they are none."""
        try:
            return base64.b64decode(self.data or "")
        except ValueError as error:
            raise ScenarioError(f"the trace's message at {self.at} is no base64: {error}") from error


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A party's whole trace: its header and its records in file order."""

    header: TraceHeader
    records: tuple[TraceRecord, ...]

    def received(self) -> list[TraceRecord]:
        """What came from the far end."""
        return [record for record in self.records if record.dir == "received"]


class Tracer:
    """Writes a party's trace through `context.trace`; a remote actor makes one in `start`.

    Keeps the hash of what was heard and notes it about once a second. `at` is moved by the actor's steps, and
    `after_heard` is set by those of a step with two halves.
    """

    def __init__(
        self, context: Context, spec: ActorSpec, *, protocol: str, version: int = 1, secrets: Secrets | None = None
    ) -> None:
        self._write = context.trace
        self._secrets = secrets or Secrets({})
        self._party = context.party
        self._hash = hashlib.sha256()
        self._unhashed: list[Samples] = []  # a second's frames at once take half the time
        self._heard = 0
        self._noted = 0
        self._note_every = context.input_rate
        self.at = -1
        self.after_heard = False
        self._put(
            TraceHeader(
                party=context.party,
                protocol=protocol,
                version=version,
                spec=mask(encode(spec)),
                input_rate=context.input_rate,
                output_rate=context.output_rate,
                frame_samples=context.output_samples,
            )
        )

    def heard(self, samples: Samples, at: int) -> None:
        """Note what is heard at a step: call it first in every step; at: output sample where its answer starts."""
        self.at = at
        self._unhashed.append(samples)
        self._heard += len(samples)
        if self._heard - self._noted >= self._note_every:
            self._note_heard()

    def message(
        self, direction: Literal["received", "sent"], type_: str, payload: object = None, *, arrived: int | None = None
    ) -> None:
        """Note a message when it is acted on.

        payload: bytes are kept as base64, anything else as JSON, both scrubbed of secrets. arrived: session
        samples at which it came in, where that matters (the wall clock).
        """
        data, json = None, None
        if isinstance(payload, bytes | bytearray | memoryview):
            data = base64.b64encode(self._secrets.scrub_bytes(bytes(payload))).decode()
        else:
            json = self._secrets.scrub_all(payload)
        self._put(
            TraceRecord(
                party=self._party, at=self.at, dir=direction, type=type_, data=data, json=json, arrived=arrived,
                after_heard=self.after_heard,
            )
        )  # fmt: skip

    def close(self) -> None:
        """Note the last of what was heard; call it in the actor's `close`."""
        if self._heard > self._noted:
            self._note_heard()

    def _note_heard(self) -> None:
        self._noted = self._heard
        self._hash.update(to_pcm16(np.concatenate(self._unhashed)).tobytes())
        self._unhashed.clear()
        self._put(
            TraceRecord(
                party=self._party, at=self.at, dir="heard", samples=self._heard, sha256=self._hash.copy().hexdigest()
            )
        )

    def _put(self, record: TraceHeader | TraceRecord) -> None:
        self._write(msgspec.to_builtins(record))


def read_trace(path: Path, party: Party | None = None) -> Trace:
    """Read a party's trace from a trace.jsonl or the session folder it lies in; a half last line is ignored.

    ScenarioError: no trace, a newer format, several parties in it and none named, a line that is no record.
    """
    file = _file(path)
    headers: list[TraceHeader] = []
    records: list[TraceRecord] = []
    for number, line in enumerate(_whole_lines(file), 1):
        try:
            if _is_header(line):
                headers.append(decode_json(line, _HEADERS, where="its header"))
            else:
                records.append(decode_json(line, _RECORDS, where="the record"))
        except SessionError as error:
            raise ScenarioError(f"{file}: line {number} is not a trace record: {error}") from error
    header = _choose(file, headers, party)
    return Trace(header=header, records=tuple(record for record in records if record.party == header.party))


def read_header(path: Path, party: Party | None = None) -> TraceHeader:
    """Read a party's header alone, as `read_trace` would find it: cheap, however long the trace is."""
    file = _file(path)
    try:
        lines = [line for line in _whole_lines(file) if _is_header(line)]
        headers = [decode_json(line, _HEADERS, where="its line") for line in lines]
    except SessionError as error:
        raise ScenarioError(f"{file}: a header is no trace header: {error}") from error
    return _choose(file, headers, party)


_HEADERS = msgspec.json.Decoder(TraceHeader)
_RECORDS = msgspec.json.Decoder(TraceRecord)
_ANY = msgspec.json.Decoder(dict[str, Any])


def _file(path: Path) -> Path:
    return path / "trace.jsonl" if path.is_dir() else path


def _is_header(line: bytes) -> bool:
    # A message may hold the word, but not among its first keys: only such lines are decoded to make sure.
    return b'"trace"' in line[:400] and "trace" in decode_json(line, _ANY, where="the line")


def _whole_lines(file: Path) -> list[bytes]:
    try:
        *lines, _ = file.read_bytes().split(b"\n")
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
    return [line for line in lines if line.strip()]


def _choose(file: Path, headers: list[TraceHeader], party: Party | None) -> TraceHeader:
    fitting = [header for header in headers if party in (None, header.party)]
    if not fitting:
        found = ", ".join(header.party for header in headers) or "none"
        raise ScenarioError(f"{file}: no trace of {'the ' + party if party else 'a party'}; parties found: {found}")
    if len({header.party for header in fitting}) > 1:
        raise ScenarioError(f"{file}: holds traces of both parties; name one with `party: agent`")
    if fitting[0].trace > FORMAT:
        raise ScenarioError(f"{file}: trace format {fitting[0].trace} is newer than this version reads ({FORMAT})")
    return fitting[0]
