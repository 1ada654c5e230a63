"""What a call costs, as data: counted by an interpreter, told by a compiler. No torch here.

softmax(float32[4096, 1000])  ->  [Launch("softmax_kernel", grid=[4096, 1, 1], load_bytes=16384000, store_bytes=16384000,
    sectors=1024000, plain_flops=16375808, compiled={"sm_90": Compiled(ptx, shared_bytes=16, ...)}, ...)]

Of a large grid only some programs run, each of which stands for many.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

SECTOR = 32  # bytes: the unit in which a GPU moves memory

Size = Annotated[int, Meta(ge=0, le=1 << 60)]
Name = Annotated[str, Meta(max_length=200)]
Target = Literal["sm_80", "sm_90", "sm_100"]
TARGETS: tuple[Target, ...] = ("sm_80", "sm_90", "sm_100")
PTX_LIMIT = 4 << 20


class Compiled(Struct, frozen=True):
    """What the compiler made of a launch for one target: PTX, which assembling.py takes further; or its complaint.

    signature: the type of each argument in PTX, of a tuple those of its items; "constexpr" if it is compiled in. scratch: bytes
    of each program beside its arguments, for each pointer to such memory that the PTX takes after them. coalescing: of the
    sectors that warps ask for, the share that their lanes use; 0.0: not looked at.
    """

    ptx: Annotated[str, Meta(max_length=PTX_LIMIT)] = ""
    shared_bytes: Size = 0
    num_warps: Size = 4
    seconds: float = 0.0
    error: Annotated[str, Meta(max_length=4000)] = ""
    signature: Annotated[dict[Name, Name], Meta(max_length=500)] = {}
    scratch: Annotated[list[Size], Meta(max_length=4)] = []
    coalescing: float = 0.0


class Look(Struct, frozen=True):
    """What one look at the programs of a sampled launch takes its costs for: see sampling.py."""

    load_bytes: Size = 0
    store_bytes: Size = 0
    atomic_bytes: Size = 0
    sectors: Size = 0
    plain_flops: Size = 0
    dots: Annotated[dict[Name, Size], Meta(max_length=100)] = {}


class Launch(Struct):
    """One launch of a kernel.

    sampled: some of its programs stand for others; counts are the mean of its looks.
    load_bytes, store_bytes, atomic_bytes: of the lanes that a mask lets through; an atomic both loads and stores.
    unique_load_bytes: each byte once; of a sample an upper bound.
    sectors: 32-byte pieces of memory that each block load, store or atomic touches, added up. load_sectors: of these, the
    loads'. own_sectors: what each program loads at least once, so that the rest it loads again.
    masked_lanes: lanes of loads and stores that a mask keeps away from memory. widest_block: lanes of the largest block.
    unwritten_bytes: loaded from memory that was allocated and that nobody has written. write_conflicts: elements that two
    programs store to. Both are looked for where all programs run.
    dot_flops: of tl.dot, 2·m·n·k each. plain_flops: of all other arithmetic on floats, one each (two a fused multiply-add);
    special: how many of these are exp, log, sqrt and their like. dots: dot_flops by dtype of the operands and precision.
    out_of_bounds: lanes that left their tensor; the first such program ends the call. message: what was wrong there.
    compiled: of the first launch of its kind; later ones have its number, `compiled_as`. 0: none was compiled.
    """

    kernel: Name
    grid: Annotated[list[Size], Meta(min_length=3, max_length=3)]
    line: Size = 0
    num_warps: Size = 4
    num_stages: Size = 3
    sampled: bool = False
    looks: Annotated[list[Look], Meta(max_length=10_000)] = field(default_factory=list)
    load_bytes: Size = 0
    store_bytes: Size = 0
    atomic_bytes: Size = 0
    unique_load_bytes: Size = 0
    sectors: Size = 0
    load_sectors: Size = 0
    own_sectors: Size = 0
    masked_lanes: Size = 0
    widest_block: Size = 0
    unwritten_bytes: Size = 0
    write_conflicts: Size = 0
    dot_flops: Size = 0
    plain_flops: Size = 0
    special: Size = 0
    dots: Annotated[dict[Name, Size], Meta(max_length=100)] = field(default_factory=dict)
    out_of_bounds: Size = 0
    message: Annotated[str, Meta(max_length=4000)] = ""
    compiled_as: Size = 0
    compiled: dict[Target, Compiled] = field(default_factory=dict)

    @property
    def moved_bytes(self) -> int:
        """All traffic between the programs and memory, caches included."""
        return self.load_bytes + self.store_bytes + 2 * self.atomic_bytes

    @property
    def unique_bytes(self) -> int:
        """Traffic with memory, if the cache loses nothing."""
        return self.unique_load_bytes + self.store_bytes + 2 * self.atomic_bytes
