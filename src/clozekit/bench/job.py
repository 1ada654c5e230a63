"""What a bench process is asked and what it answers, as typed structs. The code and the inputs are the payload of the frame.

Compare(reference=Entry(plan, [Kernel("softmax_kernel", 5096, {"y_ptr": "*fp32", ...})], uses=[0]),
        candidate=Entry(...), inputs=[Array("float32", [4096, 1000], ...)], threshold=1.25)
    ->  Measured("passed", ratio=1.02, low=1.01, high=1.04, pairs=24, reference_us=41.2, candidate_us=42.1)

Run(entry=Entry(plan, ...), inputs=[Array("float32", [4, 32], ...)])
    ->  Launching(), then Ran(answers=[Array("float32", [4, 32], ...)])
"""

from typing import Annotated

from msgspec import Meta, Struct

from clozekit.kernels.plan import Name, Plan, Size
from clozekit.values import Value


class Kernel(Struct, frozen=True):
    """One compiled kernel: the next `size` bytes of the payload are its code, PTX or a cubin.

    signature: the type of each of its arguments, in their order: "*fp32", "i32", or "constexpr" for one that is compiled in.
    scratch: the bytes that each program wants beside its arguments, for each pointer to such memory that it takes last.
    """

    name: Name
    size: Size
    signature: Annotated[dict[Name, Name], Meta(max_length=500)]
    num_warps: Annotated[int, Meta(ge=1, le=64)] = 4
    shared: Size = 0
    scratch: Annotated[list[Size], Meta(max_length=4)] = []


class Entry(Struct, frozen=True):
    """A plan, its compiled kernels, and of each launch which of them it is."""

    plan: Plan
    kernels: Annotated[list[Kernel], Meta(max_length=1000)]
    uses: Annotated[list[Size], Meta(max_length=10_000)]


class Compare(Struct, tag=True, frozen=True):
    """Measure a candidate beside its reference. `inputs`: the tensors among the arguments, strided, which are drawn anew from.

    slack: for each tensor of the answer how far the candidate's may be from the reference's, as a share of its largest element.
    """

    reference: Entry
    candidate: Entry
    inputs: list[Value]
    slack: list[float]
    threshold: float
    seconds: float = 30.0


class Opened(Struct, tag=True, frozen=True):
    """The first frame of a process that runs plans: it has the device for itself now, or why there is none.

    capability: of the device. cuda: the version that its driver knows, 12080 for CUDA 12.8.
    """

    capability: tuple[int, int] = (0, 0)
    cuda: int = 0
    impossible: str = ""


class Run(Struct, tag=True, frozen=True):
    """Compute the answer of a plan for these inputs, so many times, each time from fresh buffers."""

    entry: Entry
    inputs: list[Value]
    rounds: int = 1


class Launching(Struct, tag=True, frozen=True):
    """All is loaded and in place: what takes time from now on is the kernels."""


class Ran(Struct, tag=True, frozen=True):
    """What came of it: answers that differ in any bit, each once; what a kernel did that no kernel may; or why nothing ran.

    After a fault the device answers no more, and the process ends.
    """

    answers: list[Value] = []
    fault: str = ""
    impossible: str = ""
