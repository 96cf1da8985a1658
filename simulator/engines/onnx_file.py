"""ONNX files as they lie on disk: what a graph takes and holds, a change to it, and a session on one thread.

An .onnx file is protobuf, and the little that is needed of it is read and written here by onnx.proto's numbers: the
package onnx is 30 MB and not needed to run a model.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from simulator.texts import sentence_of

_GRAPH, _NODE, _GRAPH_INPUT, _GRAPH_OUTPUT = 7, 1, 11, 12
_NAME, NODE_OUTPUT, NODE_OPERATOR = 1, 2, 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes, and what some of its operators give: names of values by operator."""

    inputs: tuple[str, ...]
    outputs_of: dict[str, list[str]]


def read_graph(model: bytes, operators: tuple[str, ...] = ()) -> Graph:
    """Read a model's inputs, and the first output of every node of these operators. ValueError: it is no model."""
    inputs: list[str] = []
    outputs_of: dict[str, list[str]] = {operator: [] for operator in operators}
    try:
        graphs = [content for field, content in fields(memoryview(model)) if field == _GRAPH]
        for field, content in (inside for graph in graphs for inside in fields(graph)):
            if field == _GRAPH_INPUT:
                inputs.append(text(content, _NAME))
            elif field == _NODE and (operator := text(content, NODE_OPERATOR)) in outputs_of:
                outputs_of[operator].append(text(content, NODE_OUTPUT))
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("it holds no ONNX model") from error
    if not graphs:
        raise ValueError("it holds no ONNX model")
    return Graph(inputs=tuple(inputs), outputs_of=outputs_of)


def with_output(model: bytes, name: str) -> bytes:
    """Give the model with one more output, a value that it computes anyway: a second part of a field is added to it."""
    return model + part(_GRAPH, part(_GRAPH_OUTPUT, part(_NAME, name.encode())))


def opened(model: bytes) -> Any:
    """Make a session of a model, on one thread: the sums of several threads have no fixed order.

    ValueError: onnxruntime does not take it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have nothing else in common
        raise ValueError(f"onnxruntime does not take it ({sentence_of(str(error))})") from error


def part(field: int, content: bytes) -> bytes:
    """Give a field that holds bytes: a text, or a message inside."""
    return number(field << 3 | _BYTES) + number(len(content)) + content


def number(value: int) -> bytes:
    """Give a number as protobuf writes it: seven bits a byte, lowest first, the top bit where more come."""
    more, low = value >> 7, value & 127
    return bytes([low | 128]) + number(more) if more else bytes([low])


def fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Give the fields of a message that hold bytes; numbers are passed over. IndexError: it is none, or cut off."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _number(message, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            length, at = _number(message, at)
            if at + length > len(message):
                raise IndexError
            yield key >> 3, message[at : at + length]
            at += length
        else:
            raise IndexError


def _number(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128 or shift > 63:
            return value, at


def text(message: memoryview, wanted: int) -> str:
    """Give the first text of a field; empty where there is none."""
    return next((bytes(content).decode() for field, content in fields(message) if field == wanted), "")
