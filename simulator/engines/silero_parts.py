"""Silero's network for 16 kHz in two parts: what hears chunks, several at a time, and what remembers, one by one.

Only the memory (a recurrent layer) needs the chunk before. What lies in front of it, a spectrum and four convolutions,
takes most of the time, and nearly all of that to read its weights: eight chunks that lie side by side cost little more
than two. The sums of a chunk are the same in company as alone, on every machine that was looked at; where they are
not, `together` says so and each chunk is heard alone.
"""

from functools import cached_property
from typing import Any, cast

import numpy as np

from simulator.engines.onnx_file import NODE_OPERATOR, NODE_OUTPUT, fields, number, opened, part, text
from simulator.frame import Samples

MOST = 8
"""Chunks heard at once: from nine on their sums are ordered otherwise."""
CHUNK = 512
HEARD = 64 + CHUNK
"""Samples of a chunk and its context."""

_PREFIX = "If_0_then_branch__Inline_0__"
_FEATURES = f"{_PREFIX}/encoder/3/activation/Relu_output_0"
_CHANNELS, _STATE = 128, 128
_BASIS = ("stft.forward_basis_buffer", (258, 1, 1, 256))
# Weights of the four convolutions, each over three steps in time, and how many steps each goes on.
_SHAPES = ((128, 129, 1, 3), (64, 128, 1, 3), (64, 64, 1, 3), (128, 64, 1, 3))
_STRIDES = (1, 2, 2, 1)
_MIRRORED = 64


class SileroParts:
    """Both parts. branch: the network as a GraphProto, a part of the model's file; loaded on first use."""

    def __init__(self, branch: bytes) -> None:
        self._branch = branch

    def features(self, heard: Samples, count: int) -> Samples:
        """Give what is heard in the first chunks of a stretch: float32 (64 + 512 n,) -> (count, 128), count up to 8.

        heard: the context of the first chunk, then chunks of 512 samples, each the context of the next one. Digital
        silence, two thirds of what an ear hears of a clean line, sounds the same every time.
        """
        if not heard[: HEARD + (count - 1) * CHUNK].any():
            return self._silence[:count]
        return self._features(heard, count)

    def _features(self, heard: Samples, count: int) -> Samples:
        rows = np.empty((1, 1, count, HEARD + _MIRRORED), np.float32)
        for row in range(count):
            rows[0, 0, row, :HEARD] = heard[row * CHUNK : row * CHUNK + HEARD]
        # The spectrum is taken of a chunk with its end mirrored.
        rows[..., HEARD:] = rows[..., HEARD - 2 : HEARD - 2 - _MIRRORED : -1]
        return cast(Samples, self._front.run(None, {"chunks": rows})[0][0, :, :, 0].T)

    @cached_property
    def _silence(self) -> Samples:
        return np.tile(self._features(np.zeros(HEARD, np.float32), 1), (MOST, 1))

    @cached_property
    def together(self) -> int:
        """How many chunks may be heard at once here, so that none sounds other than alone: 8, or 1."""
        noise = np.random.default_rng(0).standard_normal(HEARD + (MOST - 1) * CHUNK, np.float32) * np.float32(0.1)
        alone = np.concatenate([self.features(noise[row * CHUNK :], 1) for row in range(MOST)])
        same = all(np.array_equal(self.features(noise, count), alone[:count]) for count in range(2, MOST + 1))
        return MOST if same else 1

    @cached_property
    def memory(self) -> Any:
        """The second part as a session: (features, state) to (probability, state), float32 (1, 128, 1), (2, 1, 128)."""
        graph = self._nodes_behind() + _value(11, "features", (1, _CHANNELS, 1)) + _value(11, "state", (2, 1, _STATE))
        outputs = b"".join(part(12, bytes(content)) for field, content in self._parts() if field == 12)
        renamed = _node("Identity", ["features"], _FEATURES)
        return opened(_model(renamed + graph + outputs))

    @cached_property
    def _front(self) -> Any:
        basis, shape = _BASIS
        graph = self._weights("basis", basis, shape)
        for name, value in (("first", 0), ("half", 129), ("end", 258), ("axis", 1)):
            graph += _tensor(name, np.array([value], np.int64))
        graph += _node("Conv", ["chunks", "basis"], "spectrum", kernel_shape=(1, 256), strides=(1, 128))
        graph += _node("Slice", ["spectrum", "first", "half", "axis"], "re")
        graph += _node("Slice", ["spectrum", "half", "end", "axis"], "im")
        for name in ("re", "im"):
            graph += _node("Mul", [name, name], f"{name}2")
        graph += _node("Add", ["re2", "im2"], "power") + _node("Sqrt", ["power"], "layer0")
        for index, (shape, stride) in enumerate(zip(_SHAPES, _STRIDES, strict=True)):
            where = f"encoder.{index}.reparam_conv"
            graph += self._weights(f"w{index}", f"{where}.weight", shape)
            graph += self._weights(f"b{index}", f"{where}.bias", shape[:1])
            graph += _node("Conv", [f"layer{index}", f"w{index}", f"b{index}"], f"sum{index}",
                           kernel_shape=(1, 3), strides=(1, stride), pads=(0, 1, 0, 1))  # fmt: skip
            graph += _node("Relu", [f"sum{index}"], f"layer{index + 1}")
        graph += _value(11, "chunks", (1, 1, "n", HEARD + _MIRRORED)) + _value(12, "layer4", (1, _CHANNELS, "n", 1))
        return opened(_model(graph))

    def _weights(self, name: str, where: str, shape: tuple[int, ...]) -> bytes:
        """Give weights of the file in another shape: time lies in the last axis, chunks in the one before."""
        raw = self._constants[f"{_PREFIX}{where}"]
        return _tensor(name, np.frombuffer(raw, "<f4").reshape(shape))

    @cached_property
    def _constants(self) -> dict[str, bytes]:
        """The bytes of every constant: NodeProto 5 (attribute), AttributeProto 5 (tensor), TensorProto 9 (raw data)."""
        found: dict[str, bytes] = {}
        for node in self._nodes():
            if text(node, NODE_OPERATOR) == "Constant":
                raw = [
                    c for f, a in fields(node) if f == 5 for g, t in fields(a) if g == 5 for h, c in fields(t) if h == 9
                ]
                found[text(node, NODE_OUTPUT)] = bytes(raw[0]) if raw else b""
        return found

    def _nodes_behind(self) -> bytes:
        """The nodes behind the features, and every constant."""
        kept, behind = b"", False
        for node in self._nodes():
            if behind or text(node, NODE_OPERATOR) == "Constant":
                kept += part(1, bytes(node))
            behind = behind or text(node, NODE_OUTPUT) == _FEATURES
        return kept

    def _nodes(self) -> list[memoryview]:
        return [content for field, content in self._parts() if field == 1]

    def _parts(self) -> list[tuple[int, memoryview]]:
        return list(fields(memoryview(self._branch)))


def _model(graph: bytes) -> bytes:
    """Give a graph as a ModelProto: version of the format (1), graph (7), operators (8)."""
    return b"\x08\x08" + part(7, graph) + part(8, b"\x0a\x00\x10\x10")


def _node(operator: str, inputs: list[str], output: str, **numbers: tuple[int, ...]) -> bytes:
    """Give a node (1): inputs (1), output (2), operator (4), attributes (5) that are lists of numbers (8, type 7)."""
    content = (
        b"".join(part(1, name.encode()) for name in inputs) + part(2, output.encode()) + part(4, operator.encode())
    )
    for name, values in numbers.items():
        listed = b"".join(b"\x40" + number(value) for value in values)
        content += part(5, part(1, name.encode()) + listed + b"\xa0\x01\x07")
    return part(1, content)


def _tensor(name: str, values: Any) -> bytes:
    """Give an initializer (5): shape (1), type (2: 1 float32, 7 int64), name (8), raw data (9)."""
    shape = b"".join(b"\x08" + number(size) for size in values.shape)
    kind = b"\x10\x01" if values.dtype == np.float32 else b"\x10\x07"
    return part(5, shape + kind + part(8, name.encode()) + part(9, values.tobytes()))


def _value(field: int, name: str, shape: tuple[int | str, ...]) -> bytes:
    """Give a graph's input (11) or output (12), float32; a size that is a word may be any."""
    sizes = b"".join(
        part(1, b"\x08" + number(size) if isinstance(size, int) else part(2, size.encode())) for size in shape
    )
    return part(field, part(1, name.encode()) + part(2, part(1, b"\x08\x01" + part(2, sizes))))
