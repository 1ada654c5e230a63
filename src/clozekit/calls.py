"""What a worker hears and what it answers. The answers are an untrusted side's word: data, to be checked.

Load(source)                                  ->  Returned(None) | Raised("NameError", ...)
Call("rms_norm", None, [x, weight], {})       ->  Returned(Array(...), changed=[], gradients=None)
Call("KVCache", None, [], {}, keep=1)         ->  Returned(Held(1))
Call("append", 1, [k, v], {})                 ->  Returned(Items("tuple", [...]))
Parameters(1, {"q_proj.weight": ...})         ->  Returned(None) | Mismatched(...)
Replay(plan, [x])                             ->  Returned(Array(...), counts=Counts(load_bytes=512, ...))
Measure(plan, [Blank(...)], {"sm_90": 87})      ->  Returned(None, launches=[Launch("softmax_kernel", ...)])
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from clozekit.kernels.plan import Counts, Plan
from clozekit.meters.costs import Launch, Target
from clozekit.meters.counts import Counts as TorchCounts
from clozekit.report import Problem
from clozekit.values import Name, Value

Text = Annotated[str, Meta(max_length=20_000)]
Earlier = Literal["argument", "result"]  # of a call before this one


class Load(Struct, tag=True, frozen=True):
    """Execute a submission's source as a fresh module; tracebacks show it as `name`. alone: its kernels only."""

    nonce: int
    source: str
    name: str
    alone: bool = False


class Call(Struct, tag=True, frozen=True):
    """Call a function of the module, or a method of the object kept under `held` ("" calls the object itself).

    keep: store the result under this number instead of sending it.
    cotangents: run backward from the floating outputs with these and send the gradients of inputs and parameters.
    count_steps: count the lines of the submission that run.
    refill: write the tensors' values into those of the last call, and call with the very same objects.
    rounds: call so many times before, for whoever counts.
    record: write down what the host does, as a plan.
    evaluate: in evaluation mode, if it is a module.
    composite: run below autograd, where operators that are made of others show before they are taken apart.
    dry: write the plan down while no program of a kernel runs, and send nothing else: a call of full size.
    measure: count what torch has to do.
    timed: answer and do nothing else, for whoever looks at the clock.
    """

    nonce: int
    target: str
    held: int | None
    args: list[Value]
    kwargs: dict[str, Value]
    keep: int | None = None
    cotangents: list[Value] | None = None
    count_steps: bool = False
    record: bool = False
    refill: bool = False
    rounds: int = 0
    evaluate: bool = False
    composite: bool = False
    dry: bool = False
    measure: bool = False
    timed: bool = False


class Parameters(Struct, tag=True, frozen=True):
    """Load these parameters into the kept module, all of them and no others; with `refill` into the same memory."""

    nonce: int
    held: int
    values: dict[str, Value]
    refill: bool = False


class Replay(Struct, tag=True, frozen=True):
    """Run a plan with the kernels that were loaded alone, on these tensors. backwards: the last program of each launch first."""

    nonce: int
    plan: Plan
    inputs: list[Value]
    backwards: bool = False


class Measure(Struct, tag=True, frozen=True):
    """Count what the kernels of a plan cost, on tensors of these layouts; compile them to PTX of the version of each target.

    seed: of the draw which programs are counted; effort: how many times as many as usually, 0: they are only compiled.
    """

    nonce: int
    plan: Plan
    inputs: list[Value]
    targets: dict[Target, int]
    seed: int = 0
    effort: int = 1


class Returned(Struct, tag=True, frozen=True):
    """A result, and what else the call did.

    changed: what it altered in place: tensors among the arguments by number, arguments that are lists or dicts by the numbers
        after those, parameters by name.
    disturbed: what it altered of earlier calls. used: what torch was asked to do. steps: lines that ran, if counted.
    threads: how many that it started are still alive. plan: what the host did, if recorded. counts: of a replay.
    launches: what each launch costs, if measured.
    cost: what torch had to do, if measured.
    """

    nonce: int
    value: Value = None
    changed: Annotated[list[Name], Meta(max_length=50)] = []
    inputs: Annotated[list[Value], Meta(max_length=500)] | None = None
    parameters: Annotated[dict[Name, Value], Meta(max_length=2000)] | None = None
    used: Annotated[dict[Name, int], Meta(max_length=2000)] = {}
    steps: int = 0
    disturbed: Annotated[list[Earlier], Meta(max_length=2)] = []
    threads: int = 0
    plan: Plan | None = None
    counts: Counts | None = None
    launches: Annotated[list[Launch], Meta(max_length=10_000)] = []
    cost: TorchCounts | None = None


class Raised(Struct, tag=True, frozen=True):
    """An exception. `frames` is the traceback cut to the learner's lines; `names` what the module defines.

    refusal: what the interpreter of kernels refused, if it raised it.
    lost: the worker's device answers no more.
    """

    nonce: int
    error: Name
    text: Text
    frames: Text
    names: Annotated[list[Name], Meta(max_length=500)] = []
    missing: bool = False
    lost: bool = False
    refusal: Problem | None = None


class Mismatched(Struct, tag=True, frozen=True):
    """The module's own parameters, by name, with their shapes: they are not the ones that were to be loaded."""

    nonce: int
    shapes: Annotated[dict[Name, Annotated[list[int], Meta(max_length=16)]], Meta(max_length=2000)]


Request = Load | Call | Parameters | Replay | Measure
Reply = Returned | Raised | Mismatched
