"""Values between processes: what arrives is what was sent, and a header that lies is a Violation, never other bytes."""

import math
import struct
from collections import OrderedDict, defaultdict, namedtuple

import msgspec
import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clozekit import calls, values
from clozekit.values import DEPTH_LIMIT, DTYPES, ITEM_LIMIT, Array, Foreign, Held, Items, Large, Octets, Reader, Value
from clozekit.wire import Violation


def sent(value, strided=False):
    """The header as it comes out of the wire, and the payload."""
    buffers = []
    header = values.encode(value, buffers, strided)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(header), type=Value), bytearray(b"".join(buffers))


def travelled(value, strided=False):
    header, payload = sent(value, strided)
    reader = Reader(payload, strided=strided)
    decoded = reader.decode(header)
    reader.finish()
    return decoded


def same(a, b) -> bool:
    """Equal in type, bytes and structure; a NaN equals itself, and -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and raw(a) == raw(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(map(same, a, b)) and all(map(same, a.values(), b.values()))
    return struct.pack("d", a) == struct.pack("d", b) if isinstance(a, float) else a == b


def raw(tensor) -> bytes:
    if not tensor.numel():
        return b""
    return tensor.clone(memory_format=torch.contiguous_format).reshape(-1).view(torch.uint8).numpy().tobytes()


@st.composite
def tensors(draw):
    """Any bits, NaNs and infinities among them, of any dtype, shape and layout."""
    dtype = draw(st.sampled_from(list(DTYPES.values())))
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = math.prod(shape)
    if dtype is torch.bool:
        tensor = torch.tensor(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=dtype)
    else:
        size = count * dtype.itemsize
        data = bytearray(draw(st.binary(min_size=size, max_size=size)))
        tensor = torch.frombuffer(data, dtype=torch.uint8).view(dtype) if data else torch.empty(0, dtype=dtype)
    tensor = tensor.reshape(shape)
    for layout in draw(st.lists(st.sampled_from(["transpose", "step", "flip", "expand", "offset"]), max_size=2)):
        if layout == "transpose" and tensor.dim() > 1:
            tensor = tensor.transpose(0, -1)
        elif layout == "step" and tensor.dim():
            tensor = tensor[..., ::2]
        elif layout == "flip":
            tensor = tensor.flip(0) if tensor.dim() else tensor
        elif layout == "expand":
            tensor = tensor[None].expand(3, *tensor.shape)
        elif layout == "offset" and tensor.dim():
            tensor = tensor[1:]
    return tensor


keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
plain = keys | st.floats() | st.integers(-(2**200), 2**200)
trees = st.recursive(
    plain | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys | st.tuples(keys, keys), inner, max_size=3)
        | st.sets(keys, max_size=3)
        | st.frozensets(keys, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(trees, st.booleans())
def test_what_arrives_is_what_was_sent(tree, strided):
    assert same(travelled(tree, strided), tree)


@settings(deadline=None)
@given(tensors())
def test_a_layout_is_kept_only_where_it_is_asked_for(tensor):
    assert travelled(tensor).is_contiguous()
    if tensor.numel() and not tensor.is_contiguous():
        assert travelled(tensor, strided=True).stride() == tensor.stride()


@settings(deadline=None)
@given(tensors(), tensors())
def test_tensors_that_arrive_own_their_bytes(first, second):
    one, other = travelled([first, second])
    kept = raw(other)
    one.view(torch.uint8 if one.dtype is torch.bool else one.dtype).zero_()
    assert raw(other) == kept


LAZY = {
    "conjugated": (torch.tensor([1 + 2j, 3 - 4j]).conj(), [1 - 2j, 3 + 4j]),
    "negated": (torch._neg_view(torch.tensor([1.0, 2.0])), [-1.0, -2.0]),
    "imaginary part of a conjugate": (torch.tensor([1 + 2j, 3 - 4j]).conj().imag, [-2.0, 4.0]),
    "in a graph": (torch.ones(2, requires_grad=True) * 2, [2.0, 2.0]),
    "a parameter": (torch.nn.Parameter(torch.ones(2)), [1.0, 1.0]),
    "expanded": (torch.tensor(2.0).expand(2), [2.0, 2.0]),
}


@pytest.mark.parametrize("strided", [False, True])
@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_view_arrives_as_the_numbers_that_it_stands_for(name, strided):
    tensor, numbers = LAZY[name]
    assert travelled(tensor, strided).tolist() == numbers
    assert not travelled(tensor, strided).requires_grad


Pair = namedtuple("Pair", "a b")


class Mine(torch.Tensor):
    __module__ = "m"


# What is no plain value, and what arrives in its place.
ODD = {
    "a named tuple": (Pair(1, [2]), (1, [2])),
    "an ordered dict": (OrderedDict(a=1), {"a": 1}),
    "a default dict": (defaultdict(list, a=[1]), {"a": [1]}),
    "a number of numpy": (numpy.float64(0.1), 0.1),
    "a short number of numpy": (numpy.float32(0.5), 0.5),
    "a whole number of numpy": ([numpy.int64(-3), numpy.uint64(1 << 63)], [-3, 1 << 63]),
    "a truth of numpy": (numpy.bool_(True), True),
    "a complex number of numpy": (numpy.complex64(1j), Foreign("complex")),
    "an array": (numpy.ones(2), Foreign("numpy.ndarray")),
    "a list subclass": (type("Row", (list,), {"__module__": "m"})([1]), Foreign("m.Row")),
    "an int subclass": (type("Id", (int,), {"__module__": "m"})(1), Foreign("m.Id")),
    "a tensor subclass": (torch.ones(2).as_subclass(Mine), Foreign("m.Mine")),
    "a generator": ((x for x in [1]), Foreign("generator")),
    "a function": (len, Foreign("builtin_function_or_method")),
    "a complex number": (1j, Foreign("complex")),
    "a dtype": (torch.float32, Foreign("torch.dtype")),
    "a tensor elsewhere": (torch.ones(2, device="meta"), Foreign("a tensor on device meta", "meta")),
    "a sparse tensor": (torch.ones(2).to_sparse(), Foreign("a torch.sparse_coo tensor of torch.float32")),
    "a tensor of another dtype": (torch.ones(2, dtype=torch.uint16), Foreign("a torch.strided tensor of torch.uint16")),
    "the largest int": ((1 << 15992) - 1, (1 << 15992) - 1),
    "an int beyond": (1 << 15992, Foreign("an int of 15993 bits")),
    "a type of a very long name": (type("A" * 300, (), {"__module__": "m"})(), Foreign("m." + "A" * 198)),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_plain_value_arrives_as_the_name_of_its_type(name):
    value, arrives = ODD[name]
    assert same(travelled(value), arrives)


def test_a_structure_that_holds_itself_ends():
    endless = []
    endless.append(endless)
    arrived = travelled(endless)
    for _ in range(DEPTH_LIMIT - 1):
        assert isinstance(arrived, list)
        arrived = arrived[0]
    assert arrived == [Foreign("a structure nested too deeply")]


def test_an_object_that_is_kept_is_found_again_by_its_number():
    kept = object()
    reader = Reader(bytearray(), {3: kept})
    assert reader.decode(Items("list", [Held(3)])) == [kept]
    with pytest.raises(Violation, match="unknown object"):
        reader.decode(Held(4))


def nested(depth):
    value = 1
    for _ in range(depth):
        value = Items("list", [value])
    return value


KILO = bytes(1024)
TENSOR = Array("float32", [2, 3], 24)

# A header that an untrusted worker may send, with its payload.
LIES = {
    "too few bytes": (TENSOR, KILO[:23]),
    "no bytes": (TENSOR, b""),
    "a size too small": (Array("float32", [2, 3], 20), KILO),
    "a size too large": (Array("float32", [2, 3], 28), KILO),
    "a size of nothing": (Array("float32", [2, 3], 0), KILO),
    "elements instead of bytes": (Array("float32", [2, 3], 6), KILO),
    "bytes for an empty tensor": (Array("float32", [0, 3], 12), KILO),
    "half an element": (Array("complex128", [], 8), KILO),
    "a shape of 2**80 elements": (Array("uint8", [1 << 40, 1 << 40], 0), KILO),
    "a shape whose size wraps to nothing": (Array("uint8", [1 << 32, 1 << 32], 0), KILO),
    "a shape whose size wraps to six": (Array("uint8", [6, (1 << 39) + 1, 1 << 25], 6), KILO),
    "an empty tensor that overflows torch": (Array("float32", [0, 1 << 40, 1 << 40], 0), b""),
    "an empty tensor that overflows its storage": (Array("float32", [1 << 40, 1 << 40, 0], 0), b""),
    "a second tensor of the first one's bytes": (Items("list", [TENSOR, TENSOR]), KILO[:24]),
    "a second tensor that overlaps": (Items("list", [TENSOR, TENSOR]), KILO[:47]),
    "strides": (Array("float32", [2, 3], 24, [3, 1]), KILO),
    "strides that reach outside": (Array("float32", [2], 8, [1 << 39]), KILO),
    "strides of nothing": (Array("float32", [0], 0, [1]), b""),
    "strides of the wrong number": (Array("float32", [2, 3], 24, []), KILO),
    "a key without value": (Items("dict", [1, 2, 3]), b""),
    "a list as key": (Items("dict", [Items("list", []), 1]), b""),
    "a dict in a set": (Items("set", [Items("dict", [])]), b""),
    "a list inside a tuple in a set": (Items("frozenset", [Items("tuple", [Items("list", [])])]), b""),
    "too deep": (nested(DEPTH_LIMIT + 1), b""),
    "too many": (Items("list", [None] * ITEM_LIMIT), b""),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_a_violation(name):
    header, payload = LIES[name]
    with pytest.raises(Violation):
        Reader(bytearray(payload)).decode(header)


def test_the_deepest_and_longest_honest_values_are_read():
    assert Reader(bytearray()).decode(nested(DEPTH_LIMIT))
    assert len(Reader(bytearray()).decode(Items("list", [None] * (ITEM_LIMIT - 1)))) == ITEM_LIMIT - 1


def test_bytes_that_nobody_asked_for_are_a_violation():
    reader = Reader(bytearray(KILO))
    reader.decode(TENSOR)
    with pytest.raises(Violation, match="1000 bytes too many"):
        reader.finish()


# The same as it would come over the wire: what is refused before a Reader sees it.
UNDECODABLE = {
    "a negative axis": {"type": "array", "dtype": "float32", "shape": [-1], "size": 0},
    "a negative size": {"type": "array", "dtype": "float32", "shape": [1], "size": -4},
    "a negative stride": {"type": "array", "dtype": "float32", "shape": [2], "size": 8, "strides": [-1]},
    "an axis beyond the cap": {"type": "array", "dtype": "float32", "shape": [1 << 41], "size": 0},
    "an axis that is no int": {"type": "array", "dtype": "float32", "shape": [1.5], "size": 0},
    "too many axes": {"type": "array", "dtype": "float32", "shape": [1] * 17, "size": 4},
    "an unknown dtype": {"type": "array", "dtype": "object", "shape": [], "size": 8},
    "an unknown kind": {"type": "items", "kind": "deque", "items": []},
    "an unknown tag": {"type": "pickle", "data": b""},
    "no tag": {"dtype": "float32", "shape": [], "size": 4},
    "digits that are none": {"type": "large", "digits": "__import__('os')"},
    "digits without end": {"type": "large", "digits": "0x" + "f" * 4000},
    "a map": {1: 2},
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_is_of_no_declared_type_does_not_get_as_far_as_a_reader(name):
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(UNDECODABLE[name]), type=Value)


def test_a_bool_is_true_or_false_whatever_byte_was_sent():
    arrived = Reader(bytearray([0, 1, 2, 255])).decode(Array("bool", [4], 4))
    assert raw(arrived) == bytes([0, 1, 1, 1])


sizes = st.integers(0, 8) | st.sampled_from([1 << 20, 1 << 31, 1 << 32, 1 << 40])
headers = st.recursive(
    keys.map(lambda key: Octets(key) if isinstance(key, bytes) else key)
    | st.builds(
        Array,
        dtype=st.sampled_from(list(DTYPES)),
        shape=st.lists(sizes, max_size=16),
        size=sizes,
        strides=st.none() | st.lists(sizes, max_size=4),
    )
    | st.builds(Large, digits=st.integers().map(hex))
    | st.builds(Held, number=st.integers())
    | st.builds(Foreign, name=st.text(max_size=9)),
    lambda inner: st.builds(
        Items,
        kind=st.sampled_from(["list", "tuple", "set", "frozenset", "dict"]),
        items=st.lists(inner, max_size=5),
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(headers, st.binary(max_size=64))
def test_whatever_header_comes_a_value_of_exactly_its_bytes_or_a_violation_goes_out(header, payload):
    reader = Reader(bytearray(payload))
    try:
        value = reader.decode(header)
        reader.finish()
    except Violation:
        return
    assert sum(map(nbytes, leaves(value))) == len(payload)


def leaves(value):
    if isinstance(value, dict):
        value = [*value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [leaf for item in value for leaf in leaves(item)]
    return [value] if isinstance(value, torch.Tensor) else []


def nbytes(tensor) -> int:
    return tensor.numel() * tensor.element_size()


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=64))
def test_arbitrary_bytes_are_a_value_or_refused(header, payload):
    try:
        value = msgspec.msgpack.decode(header, type=calls.Reply)
    except msgspec.DecodeError:
        return
    if isinstance(value, calls.Returned):
        try:
            Reader(bytearray(payload)).decode(value.value)
        except Violation:
            return
