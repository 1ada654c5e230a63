"""Counts against arithmetic done by hand, to the byte."""

import importlib.util
from pathlib import Path

import pytest
import torch

from clozekit.kernels import interpret
from clozekit.meters.blank import blank
from clozekit.meters.kernel import KernelMeter, counted, sectors

F32, F16 = 4, 2  # bytes


@pytest.fixture
def kernels(_interpreted):
    spec = importlib.util.spec_from_file_location("kernels_by_hand", Path(__file__).with_name("kernels_by_hand.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(launch, whole=True):
    with KernelMeter(whole=whole, budget=300) as meter:
        launch()
    (found,) = meter.launches
    return found


def aligned(*shape, dtype="float32"):
    return blank(dtype, list(shape))


# For each kernel: what to launch, and what its costs are. A loop over k adds K times; a tree of n values is n - 1 additions.
ROWS, COLS, BLOCK = 8, 1000, 1024
BY_HAND = {
    "add": (
        lambda k: k.add[(4,)](aligned(1000), aligned(1000), aligned(1000), 1000, BLOCK=256),
        {
            "load_bytes": 2 * 1000 * F32,
            "store_bytes": 1000 * F32,
            "unique_load_bytes": 2 * 1000 * F32,
            "sectors": 3 * 1000 * F32 // 32,
            "masked_lanes": 3 * 24,
            "plain_flops": 4 * 256,
            "dot_flops": 0,
        },
    ),
    "add in half precision": (
        lambda k: k.add[(4,)](*(aligned(1000, dtype="float16") for _ in range(3)), 1000, BLOCK=256),
        {"load_bytes": 2 * 1000 * F16, "store_bytes": 1000 * F16, "sectors": 189, "plain_flops": 4 * 256},
    ),
    "scale_rows": (
        lambda k: k.scale_rows[(ROWS,)](aligned(ROWS, COLS), aligned(ROWS, COLS), aligned(ROWS), COLS, BLOCK=BLOCK),
        {
            "load_bytes": ROWS * (COLS + 1) * F32,
            "store_bytes": ROWS * COLS * F32,
            "unique_load_bytes": ROWS * (COLS + 1) * F32,
            "sectors": ROWS * (2 * COLS * F32 // 32 + 1),
            "plain_flops": ROWS * BLOCK,
        },
    ),
    "column: every lane a sector of its own": (
        lambda k: k.column[(64,)](aligned(64, 128), aligned(128, 64), 128, 64, BLOCK=128),
        {
            "load_bytes": 64 * 128 * F32,
            "unique_load_bytes": 64 * 128 * F32,
            "sectors": 64 * (128 + 128 * F32 // 32),
            "plain_flops": 0,
        },
    ),
    "row_sum": (
        lambda k: k.row_sum[(ROWS,)](aligned(ROWS), aligned(ROWS, COLS), COLS, BLOCK=BLOCK),
        {"load_bytes": ROWS * COLS * F32, "store_bytes": ROWS * F32, "plain_flops": ROWS * (BLOCK - 1)},
    ),
    "softmax": (
        lambda k: k.softmax[(ROWS,)](aligned(ROWS, COLS), aligned(ROWS, COLS), COLS, BLOCK=BLOCK),
        {
            "load_bytes": ROWS * COLS * F32,
            "store_bytes": ROWS * COLS * F32,
            "special": ROWS * BLOCK,
            "plain_flops": ROWS * (3 * BLOCK + 2 * (BLOCK - 1)),  # subtract, exp, divide; maximum, sum
        },
    ),
    "softmax_of_three_passes": (
        lambda k: k.softmax_of_three_passes[(ROWS,)](aligned(ROWS, 1024), aligned(ROWS, 1024), 1024, BLOCK=256),
        {
            "load_bytes": 3 * ROWS * 1024 * F32,
            "unique_load_bytes": ROWS * 1024 * F32,
            "store_bytes": ROWS * 1024 * F32,
            "special": 2 * ROWS * 1024,
            # maximum and one more for each block; subtract, exp, sum and one more; subtract, exp, divide
            "plain_flops": ROWS * (4 * (255 + 1) + 4 * (256 + 256 + 255 + 1) + 3 * 1024),
        },
    ),
    "rms_norm": (
        lambda k: k.rms_norm[(ROWS,)](aligned(ROWS, COLS), aligned(ROWS, COLS), aligned(COLS), COLS, BLOCK=BLOCK),
        {
            "load_bytes": 2 * ROWS * COLS * F32,  # the weight again for every row
            "unique_load_bytes": (ROWS + 1) * COLS * F32,
            "store_bytes": ROWS * COLS * F32,
            "special": ROWS,
            "plain_flops": ROWS * (BLOCK + BLOCK - 1 + 3 + 2 * BLOCK),
        },
    ),
    "matmul": (
        lambda k: k.matmul[(4, 5)](
            aligned(256, 320), aligned(256, 192, dtype="float16"), aligned(192, 320, dtype="float16"), 256, 320, 192,
            BM=64, BN=64, BK=32,
        ),
        {
            "load_bytes": (256 * 192 * 5 + 192 * 320 * 4) * F16,
            "unique_load_bytes": (256 * 192 + 192 * 320) * F16,
            "store_bytes": 256 * 320 * F32,
            "dot_flops": 2 * 256 * 320 * 192,
            "plain_flops": 0,
            "dots": {"fp16": 2 * 256 * 320 * 192},
        },
    ),
    "matmul_by_hand": (
        lambda k: k.matmul_by_hand[(2, 2)](
            aligned(64, 64), aligned(64, 16), aligned(16, 64), 64, 64, 16, BM=32, BN=32
        ),
        {
            "load_bytes": 4 * 16 * (32 + 32) * F32,
            "dot_flops": 0,
            "plain_flops": 2 * 64 * 64 * 16,
            "sectors": 4 * 16 * (32 + 4) + 64 * 64 * F32 // 32,
        },
    ),
    "histogram": (
        lambda k: k.histogram[(2,)](
            aligned(4, dtype="int32"), torch.zeros(256, dtype=torch.int32), BLOCK=128
        ),
        {"load_bytes": 256 * 4, "atomic_bytes": 256 * 4, "store_bytes": 0, "plain_flops": 0},
    ),
    "lower_triangle": (
        lambda k: k.lower_triangle[(8,)](aligned(512), aligned(512), 512, BLOCK=64),
        {"load_bytes": 64 * F32 * sum(range(1, 9)), "unique_load_bytes": 512 * F32, "plain_flops": 64 * sum(range(1, 9))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_counts_equal_arithmetic_done_by_hand(case, kernels):
    launch, expected = BY_HAND[case]
    found = measured(lambda: launch(kernels))
    assert {name: getattr(found, name) for name in expected} == expected
    assert not found.sampled


SAMPLED = {  # kernels whose cost is the same, or grows steadily, from program to program
    "rows": lambda k: k.softmax[(99,)](aligned(99, 1000), aligned(99, 1000), 1000, BLOCK=1024),
    "a ragged last block": lambda k: k.add[(100,)](*(aligned(25_500) for _ in range(3)), 25_500, BLOCK=256),
    "blocks of a product": lambda k: k.matmul[(8, 8)](
        aligned(256, 256), *(aligned(256, 256, dtype="float16") for _ in range(2)), 256, 256, 256, BM=32, BN=32, BK=128
    ),
    "a triangle": lambda k: k.lower_triangle[(65,)](aligned(65 * 64), aligned(65 * 64), 65 * 64, BLOCK=64),
}  # fmt: skip


@pytest.mark.parametrize("case", SAMPLED)
def test_a_sample_counts_what_the_whole_grid_would(case, kernels):
    sample, whole = (measured(lambda: SAMPLED[case](kernels), whole=each) for each in (False, True))
    assert sample.sampled
    assert not whole.sampled
    for name in (
        "load_bytes",
        "store_bytes",
        "sectors",
        "plain_flops",
        "dot_flops",
        "masked_lanes",
        "unique_load_bytes",
    ):
        assert getattr(sample, name) == pytest.approx(getattr(whole, name), rel=0.002), name


def test_a_problem_of_full_size_is_counted_without_its_memory(kernels):
    """Two matrices of 128 MiB and one of 256 MiB, of which a few blocks are touched."""
    n = 8192
    found = measured(
        lambda: kernels.matmul[(n // 128, n // 128)](
            aligned(n, n),
            aligned(n, n, dtype="float16"),
            aligned(n, n, dtype="float16"),
            n,
            n,
            n,
            BM=128,
            BN=128,
            BK=512,
        ),
        whole=False,
    )
    assert found.dot_flops == 2 * n**3
    assert found.load_bytes == 2 * n * n * (n // 128) * F16


def test_launches_of_one_call_are_kept_apart(kernels):
    with KernelMeter(whole=True) as meter:
        for cols in (32, 64):
            kernels.row_sum[(2,)](aligned(2), aligned(2, cols), cols, BLOCK=cols)
    assert [launch.load_bytes for launch in meter.launches] == [2 * 32 * F32, 2 * 64 * F32]
    assert [launch.grid for launch in meter.launches] == [[2, 1, 1]] * 2


def test_nobody_counts_after_the_meter_is_left(kernels):
    found = measured(lambda: kernels.row_sum[(2,)](aligned(2), aligned(2, 32), 32, BLOCK=32))
    before = found.load_bytes
    kernels.row_sum[(2,)](aligned(2), aligned(2, 32), 32, BLOCK=32)
    assert found.load_bytes == before


def test_an_access_out_of_bounds_ends_the_launch(kernels):
    with KernelMeter(whole=True) as meter, pytest.raises(interpret.OutOfBounds, match="element 1000 of x"):
        kernels.softmax_of_three_passes[(1,)](aligned(1, 1000), aligned(1, 1000), 1000, BLOCK=256)
    assert meter.launches[0].load_bytes == 3 * 256 * F32


ADDRESSES = {
    "neighbours": (torch.arange(64) * 4, 4, 8),
    "neighbours off the border": (torch.arange(64) * 4 + 4, 4, 9),
    "one place for all": (torch.zeros(64), 4, 1),
    "every eighth": (torch.arange(64) * 32, 4, 64),
    "backwards": (torch.arange(64).flip(0) * 4, 4, 8),
    "one element": (torch.tensor([28]), 4, 1),
    "an element across a border": (torch.tensor([30]), 4, 2),
    "as wide as neighbours, yet with a hole": (torch.tensor([0, 0, 96, 96]), 32, 2),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_sectors(case):
    lanes, size, expected = ADDRESSES[case]
    assert counted(sectors(lanes.numpy().astype("uint64"), size)) == expected
