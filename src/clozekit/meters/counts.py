"""What a call cost, in numbers that travel: over the wire, into JSON. No torch here.

Counts(flops=266240, matmul_flops=262144, read_bytes=40960, written_bytes=8192, peak_bytes=8192, operators={"aten::mm": 1})
"""

from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=1 << 62)]
Operator = Annotated[str, Meta(max_length=200)]


class Counts(Struct, frozen=True):
    """The costs of one call.

    flops: all, those of matrix products included. peak_bytes: the most that was allocated at one time on top of what was
    there before; the result is part of it, the arguments are not. operators: how often each ran; views are none.
    """

    flops: Count = 0
    matmul_flops: Count = 0
    read_bytes: Count = 0
    written_bytes: Count = 0
    peak_bytes: Count = 0
    operators: Annotated[dict[Operator, Count], Meta(max_length=2000)] = {}

    @property
    def bytes(self) -> int:
        return self.read_bytes + self.written_bytes


class Passes(NamedTuple):
    """Bytes really read and written, as multiples of those that an operator has to; and what lies between, see passes.py."""

    reads: float = 1.0
    writes: float = 1.0
    apart: int = 0
    blocks: int = 2  # of 1024 threads
    alone: int = 0
    modelled: bool = True


ONCE = Passes()


class Record(NamedTuple):
    """One operator that moved or computed something. `dtype`: of its first floating operand, in which it computes."""

    operator: str
    shapes: tuple[list[int], ...] = ()  # of its operands
    dtype: str = ""
    read_bytes: int = 0
    written_bytes: int = 0
    matmul_flops: int = 0
    other_flops: int = 0
    passes: Passes = ONCE
