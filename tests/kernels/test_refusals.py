"""What an interpreted kernel must not get away with, and what its author reads then."""

import traceback

import pytest
import torch
import triton
import triton.language as tl
from torch.testing import assert_close

from clozekit.kernels import interpret, private
from clozekit.kernels.interpret import OutOfBounds


def test_a_missing_mask_is_named_with_line_argument_and_element(load):
    module = load("""
        @triton.jit
        def row_kernel(y_ptr, x_ptr, cols, BLOCK: tl.constexpr):
            col = tl.arange(0, BLOCK)
            x_ptr += tl.program_id(0) * cols
            x = tl.load(x_ptr + col)  # no mask
            tl.store(y_ptr + tl.program_id(0) * cols + col, x, mask=col < cols)
    """)
    x = torch.randn(4, 1000)
    with pytest.raises(OutOfBounds) as caught:
        module.row_kernel[(4,)](torch.empty_like(x), x, 1000, BLOCK=1024)
    error = caught.value
    assert str(error) == (
        "row_kernel, line 7: `x = tl.load(x_ptr + col)` loads element 4000 of x_ptr, which has 4000 elements "
        "(shape [4, 1000]); 24 lanes are out of bounds: is a mask missing?"
    )
    facts = (error.operation, error.kernel, error.line, error.argument, error.index, error.shape, error.lanes)
    assert facts == ("load", "row_kernel", 7, "x_ptr", 4000, (4, 1000), 24)
    assert isinstance(error, IndexError)


@triton.jit
def copy_kernel(y_ptr, x_ptr, first, n, BLOCK: tl.constexpr):
    i = first + tl.arange(0, BLOCK)
    tl.store(
        y_ptr + i,
        tl.load(x_ptr + i, mask=i < n),
        mask=i < n,
    )


def copy(y, x, first=0, n=8):
    copy_kernel[(1,)](y, x, first, n, BLOCK=8)


def test_lanes_that_are_masked_off_may_point_anywhere():
    y = torch.zeros(5)
    copy(y, torch.ones(5), n=5)
    assert y.tolist() == [1] * 5


def test_the_memory_behind_an_argument_is_not_its_own_even_if_it_is_anothers():
    both = torch.zeros(12)
    with pytest.raises(OutOfBounds, match="loads element 4 of x_ptr, which has 4 elements"):
        copy(both[4:], both[:4])


def test_nothing_is_written_when_one_lane_is_out_of_bounds():
    whole = torch.zeros(16)
    with pytest.raises(OutOfBounds, match=r"stores to element 6 of y_ptr.*1 lane is.*let too much through"):
        copy(whole[:6], torch.ones(16), n=7)
    assert not whole.any()


def test_an_element_before_the_first_is_negative():
    with pytest.raises(OutOfBounds, match="loads element -2 of x_ptr"):
        copy(torch.zeros(8), torch.zeros(8), first=-2)


def test_a_statement_over_several_lines_is_quoted_whole():
    with pytest.raises(OutOfBounds, match=r"`tl\.store\( y_ptr \+ i, .* mask=i < n, \)` stores to element 0 of y_ptr"):
        copy(torch.zeros(0), torch.zeros(8))


def test_a_strided_view_ends_at_its_last_element():
    base = torch.arange(32.0)
    y = torch.empty(8)
    copy(y, base[0:15:2])  # elements 0, 2, ..., 14: a span of 15
    assert torch.equal(y, base[:8])
    with pytest.raises(OutOfBounds, match=r"element 13 of x_ptr, which spans 13 elements \(shape \[7\], strides \["):
        copy_kernel[(1,)](torch.empty(16), base[0:13:2], 0, 16, BLOCK=16)


@triton.jit
def read(ptr):
    return tl.load(ptr)


@triton.jit
def odd_kernel(y_ptr, x_ptr, how: tl.constexpr):
    if how == "atomic":
        tl.atomic_add(y_ptr + tl.arange(0, 4), 1.0)
    elif how == "helper":
        tl.store(y_ptr, read(x_ptr + 9))
    elif how == "integer":
        tl.store((y_ptr.to(tl.int64) + 4096).to(tl.pointer_type(tl.float32)), 1.0)
    elif how == "chosen":
        tl.store(tl.where(tl.arange(0, 2) == 0, y_ptr, x_ptr), 1.0)


ODD = {
    "atomic": r"`tl\.atomic_add\(.*\)` updates element 3 of y_ptr, .* 1 lane is out of bounds",
    "helper": r"`return tl\.load\(ptr\)` loads element 9 of x_ptr",
    "integer": "stores to no tensor's memory",
}


@pytest.mark.parametrize("how", ODD)
def test_atomics_helpers_and_made_up_pointers_are_checked_too(how):
    with pytest.raises(OutOfBounds, match=ODD[how]):
        odd_kernel[(1,)](torch.zeros(3), torch.zeros(3), how)


def test_a_pointer_chosen_between_two_tensors_may_go_into_either():
    y, x = torch.zeros(3), torch.zeros(3)
    odd_kernel[(1,)](y, x, "chosen")
    assert (y[0], x[0]) == (1, 1)


@triton.jit
def undefined_kernel(y_ptr, x_ptr, n, how: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    inside = i < n
    x = tl.load(x_ptr + i, mask=inside)
    if how == "stored under the mask":
        tl.store(y_ptr, tl.sum(tl.where(inside, tl.exp((x * 2).to(tl.float32)), 0.0)))
    elif how == "chosen away":
        tl.store(y_ptr, tl.max(tl.where(inside, x, float("-inf"))))
    elif how == "summed":
        tl.store(y_ptr, tl.sum(x.to(tl.float32)))
    elif how == "largest":
        tl.store(y_ptr, tl.max(x))
    elif how == "largest after arithmetic":
        tl.store(y_ptr, tl.max(tl.maximum(tl.exp(x.to(tl.float32) - 1), -10.0)))
    elif how == "times the mask":
        tl.store(y_ptr, tl.sum((x * inside.to(x.dtype)).to(tl.float32)))
    elif how == "scalar with other":
        tl.store(y_ptr, tl.load(x_ptr, mask=n > 100, other=0.0))


DEFINED = {"stored under the mask", "chosen away", "scalar with other"}
RELIED = {"summed", "largest", "largest after arithmetic", "times the mask"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("how", sorted(DEFINED | RELIED))
def test_a_lane_that_was_not_loaded_spoils_the_result_exactly_if_it_is_used(how, dtype):
    y = torch.zeros(1, dtype=dtype)
    undefined_kernel[(1,)](y, -torch.rand(5).to(dtype), 5, how, 8)
    assert y.isnan().item() == (how in RELIED)


@triton.jit
def peak_kernel(y_ptr, x_ptr, N: tl.constexpr):
    x = tl.load(x_ptr + tl.arange(0, N))
    tl.store(y_ptr, tl.max(x, 0))
    tl.store(y_ptr + 1, tl.min(tl.maximum(x, 1.0), 0))


def test_maximum_and_minimum_skip_an_honest_nan_as_a_gpu_does():
    y = torch.empty(2)
    peak_kernel[(1,)](y, torch.tensor([float("nan"), 2.0, 3.0, float("nan")]), 4)
    assert_close(y, torch.tensor([3.0, 1.0]))


def test_an_exception_is_the_kernels_own_and_its_traceback_shows_the_line(load):
    module = load("""
        @triton.jit
        def helper(x):
            return x + tl.arange(0, 16)

        @triton.jit
        def kernel(y_ptr):
            y = helper(tl.arange(0, 8))
            tl.store(y_ptr, y)

        def wrapper(y):
            kernel[(1,)](y)
    """)
    with pytest.raises(ValueError, match="incompatible dimensions at index 0: 8 and 16") as caught:
        module.wrapper(torch.empty(8))
    own = [frame for frame in traceback.extract_tb(caught.tb) if frame.filename == "submission.py"]
    assert [frame.line for frame in own] == [
        "kernel[(1,)](y)",
        "y = helper(tl.arange(0, 8))",
        "return x + tl.arange(0, 16)",
    ]
    module.kernel[(0,)](torch.empty(8))  # and the process can go on


def test_a_name_that_ended_with_its_loop_may_have_another_type_in_the_next(load):
    """Triton forgets it with the loop; Python does not."""
    loop = "    for i in range(n):\n        x = {}\n        tl.store(y_ptr + i, x)\n"
    nested = "    for j in range(n):\n" + "".join("    " + line + "\n" for line in loop.format("4.0").splitlines())
    module = load("@triton.jit\ndef kernel(y_ptr, n):\n" + loop.format("2") + loop.format("0.5") + nested)
    y = torch.empty(3)
    module.kernel[(1,)](y, 3)
    assert y.tolist() == [4.0] * 3


# a statement on line 6, the exception, what it says: the compiler refuses each, plain Python would not
REFUSED = {
    "break": ("for i in range(n):\n        break", SyntaxError, r"`break` cannot be used in a kernel .*line 7"),
    "lambda": ("f = lambda x: x", SyntaxError, "`lambda` cannot be used"),
    "two targets": ("x = y = n", SyntaxError, "one target"),
    "loop over a tuple": ("for i in (1, 2):\n        x = i", SyntaxError, "range"),
    "ordinary global": ("x = n * PLAIN", NameError, "kernel, line 6: a kernel sees no ordinary global such as PLAIN"),
    "Python function": ("x = abs(n)", NameError, "line 6: abs is not defined in a kernel"),
    "name of Triton's interpreter": ("x = np.exp(n)", NameError, "line 6: np is not defined"),
    "changing type": (
        "x = 0\n    for i in range(n):\n        x += 0.5",
        TypeError,
        "x is int32 before this loop and fp32",
    ),
    "changing type of a name that an earlier loop had": (
        "for i in range(n):\n        x = 0.5\n    x = 0\n    for i in range(n):\n        x += 0.5",
        TypeError,
        "x is int32 before this loop and fp32",
    ),
    "truth of a block": ("if tl.arange(0, 4) > 2:\n        n += 1", ValueError, r"need a scalar, not int1\[4\]"),
    "block size not constant": ("size = 4\n    x = tl.arange(0, size)", ValueError, "constexpr"),
    "small dot": ("x = tl.zeros((4, 4), tl.float32)\n    x = tl.dot(x, x)", AssertionError, "K >= "),
    "exp of a half": ("x = tl.exp(tl.zeros((8,), tl.float16))", ValueError, "Expected dtype"),
    "failed static assert": ('tl.static_assert(N == 2, "N")', AssertionError, "N"),
    "blank not filled in": ('raise NotImplementedError("scores")\n    x = later', NotImplementedError, "scores"),
}
if not private.CHAINED_COMPARISONS:
    REFUSED["chained comparison"] = ("x = 0 < n < 3", SyntaxError, "chained comparison")


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_compiler_refuses_is_refused(load, case):
    statement, exception, text = REFUSED[case]
    module = load(f"PLAIN = 3\n@triton.jit\ndef kernel(y_ptr, n, N: tl.constexpr):\n    {statement}\n")
    with pytest.raises(exception, match=text):
        module.kernel[(1,)](torch.empty(1), 2, N=1)


# how a launch goes wrong before the first program runs
LAUNCHES = {
    "argument missing": (lambda kernel, y: kernel[(1,)](y), TypeError, "missing a required argument: 'n'"),
    "unknown option": (lambda kernel, y: kernel[(1,)](y, 1, 1, warps=4), KeyError, "warps was specified"),
    "number as grid": (lambda kernel, y: kernel[4](y, 1, 1), TypeError, "a grid is a tuple"),
    "fraction as grid": (lambda kernel, y: kernel[(0.5,)](y, 1, 1), TypeError, "float"),
    "four axes": (lambda kernel, y: kernel[(1, 1, 1, 1)](y, 1, 1), ValueError, "one to three"),
    "text": (lambda kernel, y: kernel[(1,)](y, "n", 1), TypeError, "kernel cannot take str as n"),
    "tensor elsewhere": (lambda kernel, y: kernel[(1,)](y.to("meta"), 1, 1), ValueError, "y_ptr of kernel is on meta"),
    "call without grid": (lambda kernel, y: kernel(y, 1, 1), RuntimeError, "outside of the scope of a kernel"),
}


@pytest.mark.parametrize("case", LAUNCHES)
def test_a_wrong_launch_is_refused(load, case):
    launch, exception, text = LAUNCHES[case]
    module = load("@triton.jit\ndef kernel(y_ptr, n, N: tl.constexpr):\n    tl.store(y_ptr, n)\n")
    with pytest.raises(exception, match=text):
        launch(module.kernel, torch.empty(1))
    module.kernel[(1,)](torch.empty(1), 1, 1)
    assert interpret.launches[-1].arguments["n"] == "1"
