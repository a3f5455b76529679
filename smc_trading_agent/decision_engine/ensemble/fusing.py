"""Several ONNX graphs as one, made when a bundle is loaded, from the bytes that were verified.

The graphs share the inputs ``x`` and ``context``; every other name gets its expert's before it, as in ``lstm/logit``.
Only names change, no weight and no node, so this works on the wire format of Protocol Buffers and needs no library:
a field is a key (number and wire type, a varint) and a value, and the fields of `onnx.proto` that hold names are known.
What can't be merged that way (other operator versions, nodes with graphs inside, functions) is left apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
IR_VERSION, GRAPH, OPSET, FUNCTIONS = 1, 7, 8, 25  # of ModelProto
NODE, GRAPH_NAME, INITIALIZER, INPUT, OUTPUT, VALUE_INFO, SPARSE_INITIALIZER = 1, 2, 5, 11, 12, 13, 15  # of GraphProto
NODE_INPUT, NODE_OUTPUT, NODE_NAME, ATTRIBUTE = 1, 2, 3, 5  # of NodeProto
SUBGRAPH, SUBGRAPHS, LISTS = 6, 11, (7, 8, 9)  # of AttributeProto
TENSOR_NAME, VALUE_NAME = 8, 1  # of TensorProto, ValueInfoProto
DOMAIN, VERSION = 1, 2  # of OperatorSetIdProto
FIRST_IR = 4
"""Before this version of the format, initialisers are inputs too."""


class Unfusable(Exception):
    """These graphs can't be merged by renaming alone."""


class Field(NamedTuple):
    """One field of a message: its number, its value (bytes of a message or text, or a number), and all its bytes."""

    number: int
    value: bytes | int
    whole: bytes


def fused(models: Mapping[str, bytes], shapes: Mapping[str, Sequence[int]]) -> bytes:
    """One model of all ``models`` (by expert); ``shapes`` are the float inputs that those having them share.

    Raises `Unfusable` where it takes more than new names.
    """
    parts: list[bytes] = [_text(GRAPH_NAME, "ensemble")]
    operators: dict[str, int] = {}
    newest = FIRST_IR
    for expert, data in models.items():
        fields = _fields(data)
        version = next((field.value for field in fields if field.number == IR_VERSION), 0)
        graphs = [field.value for field in fields if field.number == GRAPH]
        if not isinstance(version, int) or version < FIRST_IR or len(graphs) != 1 or _has(fields, FUNCTIONS):
            raise Unfusable(f"{expert} has format version {version!r}, functions, or not one graph")
        newest = max(newest, version)
        _add_operators(operators, [field.value for field in fields if field.number == OPSET], expert)
        parts += _renamed_graph(graphs[0], expert, shapes)
    shared = [_message(INPUT, _float_input(name, shape)) for name, shape in shapes.items()]
    opsets = [
        _message(OPSET, _text(DOMAIN, domain) + _number(VERSION, version)) for domain, version in operators.items()
    ]
    return _number(IR_VERSION, newest) + b"".join(opsets) + _message(GRAPH, b"".join([*shared, *parts]))


def _add_operators(operators: dict[str, int], sets: Iterable[bytes | int], expert: str) -> None:
    for given in sets:
        domain, version = "", 0
        for field in _fields(given):
            if field.number == DOMAIN and isinstance(field.value, bytes):
                domain = field.value.decode()
            elif field.number == VERSION and isinstance(field.value, int):
                version = field.value
        if operators.setdefault(domain, version) != version:
            raise Unfusable(f"{expert} has version {version} of the operators {domain!r}, others {operators[domain]}")


def _renamed_graph(graph: bytes | int, expert: str, shapes: Mapping[str, Sequence[int]]) -> list[bytes]:
    fields = _fields(graph)
    if _has(fields, SPARSE_INITIALIZER):
        raise Unfusable(f"{expert} has sparse weights")
    prefix = f"{expert}/".encode()
    inputs = {_name(field, VALUE_NAME) for field in fields if field.number == INPUT}
    shared = {name.encode() for name in shapes} & inputs

    def rename(name: bytes) -> bytes:
        return name if not name or name in shared else prefix + name

    kept = []
    for field in fields:
        if field.number == NODE:
            kept.append(_message(NODE, _renamed_node(field, rename)))
        elif field.number == INITIALIZER:
            kept.append(_renamed(field, (TENSOR_NAME,), rename))
        elif field.number in (OUTPUT, VALUE_INFO) or (field.number == INPUT and _name(field, VALUE_NAME) not in shared):
            kept.append(_renamed(field, (VALUE_NAME,), rename))
    return kept


def _renamed_node(node: Field, rename: Callable[[bytes], bytes]) -> bytes:
    fields = _fields(node.value)
    if any(_holds_graph(field.value) for field in fields if field.number == ATTRIBUTE):
        raise Unfusable("a node has a graph inside")
    return _with_names(fields, (NODE_INPUT, NODE_OUTPUT, NODE_NAME), rename)


def _holds_graph(attribute: bytes | int) -> bool:
    for field in _walk(attribute):
        if field.number in (SUBGRAPH, SUBGRAPHS):
            return True
        if field.number in LISTS:  # an attribute has one kind of value, and those of trees have 100,000 of them
            return False
    return False


def _renamed(field: Field, names: Sequence[int], rename: Callable[[bytes], bytes]) -> bytes:
    return _message(field.number, _with_names(_fields(field.value), names, rename))


def _with_names(fields: Iterable[Field], names: Sequence[int], rename: Callable[[bytes], bytes]) -> bytes:
    return b"".join(
        (
            _message(field.number, rename(field.value))
            if field.number in names and isinstance(field.value, bytes)
            else field.whole
        )
        for field in fields
    )


def _name(field: Field, number: int) -> bytes:
    for part in _fields(field.value):
        if part.number == number and isinstance(part.value, bytes):
            return part.value
    return b""


def _has(fields: Iterable[Field], *numbers: int) -> bool:
    return any(field.number in numbers for field in fields)


def _fields(message: bytes | int) -> list[Field]:
    """The fields of a message in their order; `Unfusable` where it is none."""
    return list(_walk(message))


def _walk(message: bytes | int) -> Iterator[Field]:
    if isinstance(message, int):
        raise Unfusable("a number stands where a message should")
    place = 0
    while place < len(message):
        begin = place
        key, place = _varint(message, place)
        value: bytes | int
        if key & 7 == VARINT:
            value, place = _varint(message, place)
        elif key & 7 == LENGTH:
            size, place = _varint(message, place)
            value, place = message[place : place + size], place + size
        elif key & 7 in (FIXED64, FIXED32):
            size = 8 if key & 7 == FIXED64 else 4
            value, place = message[place : place + size], place + size
        else:
            raise Unfusable(f"a field has wire type {key & 7}")
        if place > len(message):
            raise Unfusable("a message ends early")
        yield Field(key >> 3, value, message[begin:place])


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data):
        value |= (data[place] & 0x7F) << shift
        place += 1
        if not data[place - 1] & 0x80:
            return value, place
        shift += 7
    raise Unfusable("a message ends early")


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(field: int, value: int) -> bytes:
    return _encoded(field << 3 | VARINT) + _encoded(value)


def _message(field: int, content: bytes) -> bytes:
    return _encoded(field << 3 | LENGTH) + _encoded(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _message(field, content.encode())


def _float_input(name: str, shape: Sequence[int]) -> bytes:
    """ValueInfoProto of a float tensor of fixed shape."""
    sizes = b"".join(_message(1, _number(1, size)) for size in shape)
    return _text(VALUE_NAME, name) + _message(2, _message(1, _number(1, 1) + _message(2, sizes)))
