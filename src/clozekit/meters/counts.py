"""What a call cost, in numbers that travel: over the wire, into JSON. No torch here.

Counts(flops=266240, matmul_flops=262144, read_bytes=40960, written_bytes=8192, peak_bytes=8192, operators={"aten::mm": 1})
"""

from typing import Annotated

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
