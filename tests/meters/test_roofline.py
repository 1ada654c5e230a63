"""Times on paper, by hand arithmetic; and what must never happen: more work that takes less time."""

import msgspec
import pytest

from clozekit.meters import roofline
from clozekit.meters.assembling import Facts
from clozekit.meters.costs import Launch
from clozekit.meters.devices import DEVICES
from clozekit.meters.roofline import Prediction, eager, predict, speedup, together, verdict
from clozekit.report import Problem

A100, H100 = DEVICES["A100"], DEVICES["H100"]
GIB = 1 << 30
LIGHT = Facts(registers=32, occupancy=1.0)


def rows(loads=GIB, own=None, unique=None, stores=GIB, programs=65536, **counts):
    """A launch whose programs each load and store their row; `loads`, `own`, `unique`: bytes."""
    own = loads if own is None else own
    given = {
        "load_bytes": loads,
        "store_bytes": stores,
        "unique_load_bytes": own if unique is None else unique,
        "sectors": (loads + stores) // 32,
        "load_sectors": loads // 32,
        "own_sectors": own // 32,
        "compiled_as": 1,
    }
    return Launch("kernel", [programs, 1, 1], **(given | counts))


def seconds(launch, facts=LIGHT, device=A100):
    return predict([launch], {1: facts}, device).seconds


def test_a_copy_takes_its_bytes_over_what_memory_delivers():
    prediction = predict([rows()], {1: LIGHT}, A100)
    assert prediction.seconds == pytest.approx(2 * GIB / (0.88 * 2.039e12) + 3e-6)
    assert prediction.limit == "memory"
    assert prediction.trust == "predicted"


def test_a_second_pass_over_long_rows_costs_memory_again_but_for_what_the_cache_holds():
    # a row of 1 MiB, 8 blocks on each of 108 multiprocessors: in one pass of two, each moves 1.5 MiB, all 1296 MiB, through
    # a cache of 40 MiB in two halves
    twice = rows(loads=2 * GIB, own=GIB, programs=1024)
    expected = (2 * GIB + GIB * (1 - 20 / 1296)) / (0.88 * 2.039e12) + 3e-6
    assert seconds(twice, msgspec.structs.replace(LIGHT, registers=64)) == pytest.approx(expected)


def test_a_second_pass_over_short_rows_costs_the_cache_only():
    # a row of 4 KiB, 16 blocks: 1728 of them move 10 MiB in a pass
    assert seconds(rows(loads=2 * GIB, own=GIB, programs=1 << 18)) == pytest.approx(seconds(rows()))


def test_weights_that_all_programs_read_are_in_the_cache():
    # GIB of rows, and 16 KiB of weights read by 65536 programs
    shared = rows(loads=2 * GIB, unique=GIB + (16 << 10))
    assert seconds(shared) == pytest.approx((2 * GIB + (16 << 10)) / (0.88 * 2.039e12) + 3e-6)


def test_programs_that_share_tiles_read_more_than_once_what_the_cache_cannot_hold():
    # 864 programs at a time share at best like a square of 29.4 by 29.4
    shared = rows(loads=64 * GIB, unique=GIB)
    extra = (64 * GIB / 864**0.5 - GIB) * (1 - 20 / 1024)
    traffic = seconds(shared, msgspec.structs.replace(LIGHT, registers=64)) - 3e-6
    wire = 65 * GIB / 5e12
    assert predict([shared], {1: LIGHT}, A100).limit == "L2"
    assert traffic == pytest.approx(max(wire, (2 * GIB + extra) / (0.88 * 2.039e12)))


def test_strided_accesses_cost_whole_sectors():
    strided = rows(
        sectors=2 * 8 * GIB // 32, load_sectors=8 * GIB // 32, own_sectors=8 * GIB // 32, unique_load_bytes=GIB
    )
    assert seconds(strided) > 4 * seconds(rows())


def test_spills_go_to_memory_and_share_its_bus():
    # 128 threads, 16 blocks on a multiprocessor: between store and load of a register, half of what all of them move
    spilling = Facts(registers=32, stack_bytes=5152, spill_bytes=20184)
    lost = 1 - (20 << 20) / ((20184 * 128 + 2 * GIB / 65536) / 2 * 16 * 108)
    extra = 20184 * 128 * 65536 * lost / (0.88 * 2.039e12)
    prediction = predict([rows()], {1: spilling}, A100)
    assert prediction.limit == "spills"
    assert prediction.seconds == pytest.approx(seconds(rows()) + extra)


def test_a_few_spilled_bytes_stay_in_the_first_cache():
    few = Facts(registers=32, stack_bytes=8, spill_bytes=16)
    assert seconds(rows(), few) == seconds(rows())


def test_matrix_products_run_on_tensor_cores_if_the_compiler_used_them():
    product = rows(loads=3 << 28, stores=1 << 27, dots={"fp16": 2 * 8192**3}, programs=108 * 2 * 20)
    with_them, without = Facts(registers=128, tensor_core_instructions=64), Facts(registers=128)
    assert seconds(product, with_them) == pytest.approx(2 * 8192**3 / (0.87 * 312e12) + 3e-6)
    assert predict([product], {1: with_them}, A100).limit == "tensor cores"
    assert seconds(product, without) == pytest.approx(2 * 8192**3 / 19.5e12 + 3e-6)
    assert predict([product], {1: without}, A100).limit == "arithmetic"


def test_float32_products_that_ask_for_ieee_run_without_tensor_cores():
    facts = Facts(registers=64, tensor_core_instructions=64)
    ieee, tf32 = (rows(loads=1 << 20, stores=1 << 20, dots={name: 10**13}) for name in ("fp32 ieee", "fp32 tf32"))
    assert predict([ieee], {1: facts}, A100).parts["tensor cores"] == 0
    assert predict([tf32], {1: facts}, A100).parts["tensor cores"] > 0


def test_where_one_block_fills_a_multiprocessor_nothing_is_done_beside_its_products():
    attention = rows(loads=1 << 20, stores=1 << 20, dots={"fp16": 10**12}, special=10**9, programs=108 * 100)
    alone = Facts(registers=255, shared_bytes=100 << 10, tensor_core_instructions=64)
    two = Facts(registers=128, shared_bytes=80 << 10, tensor_core_instructions=64)
    exponentials = 10**9 / (108 * 16 * 1.41e9)
    assert seconds(attention, alone) == pytest.approx(seconds(attention, two) + exponentials)


def test_the_last_programs_leave_multiprocessors_idle():
    full, ragged = (rows(loads=1 << 20, stores=1 << 20, plain_flops=10**12, programs=n) for n in (108 * 8, 108 * 8 + 1))
    assert (seconds(ragged) - 3e-6) / (seconds(full) - 3e-6) == pytest.approx(9 / (865 / 108))


@pytest.mark.parametrize(
    "more",
    ["load_sectors", "own_sectors", "sectors", "dots", "plain_flops", "special", "unique_load_bytes"],
)
@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES.keys())
def test_more_work_never_takes_less_time(more, device):
    facts = Facts(registers=128, stack_bytes=64, spill_bytes=200, tensor_core_instructions=8)
    for scale in (1 << 20, GIB):
        base = rows(
            loads=4 * scale, own=2 * scale, unique=scale, stores=scale, dots={"bf16": 10**6 * scale}, special=scale
        )
        value = getattr(base, more)
        heavier = {"dots": {"bf16": 2 * value["bf16"]}} if more == "dots" else {more: max(1, value) * 5 // 4}
        if more == "load_sectors":  # and so there are more sectors
            heavier["sectors"] = base.sectors + base.load_sectors // 4
        larger = msgspec.structs.replace(base, **heavier)
        assert predict([larger], {1: facts}, device).seconds >= predict([base], {1: facts}, device).seconds


def test_a_launch_without_facts_is_not_trusted_and_says_why():
    refused = predict([rows()], {1: Facts(error="ptxas takes longer than 20 s")}, A100)
    assert refused.trust == "unknown"
    assert "ptxas takes longer" in refused.why.facts["error"]
    assert predict([rows()], {}, A100).trust == "unknown"
    assert predict([rows()], {1: LIGHT}, DEVICES["T4"]).why == Problem("doubt-target", {"device": "T4"})


def test_a_persistent_kernel_is_not_trusted_unless_it_multiplies_matrices():
    assert predict([rows(programs=215)], {1: LIGHT}, A100).trust == "unknown"
    assert predict([rows(programs=216)], {1: LIGHT}, A100).trust == "predicted"
    assert predict([rows(programs=215, dots={"fp16": 10**12})], {1: LIGHT}, A100).trust == "predicted"


def test_small_work_is_bound_by_the_host():
    small = predict([rows(loads=1 << 20, stores=1 << 20, programs=4096)], {1: LIGHT}, A100)
    assert small.trust == "host-bound"
    assert speedup(small, Prediction(seconds=1.0)) is None


def test_nothing_launched_is_no_prediction():
    assert predict([], {}, A100).trust == "unknown"
    assert eager([], A100).trust == "unknown"


class Passes(msgspec.Struct, frozen=True):
    reads: float = 1.0
    writes: float = 1.0
    apart: int = 0
    blocks: int = 2
    alone: int = 0
    modelled: bool = True


class Record(msgspec.Struct):
    operator: str = "aten::mul"
    dtype: str = "float32"
    read_bytes: int = GIB
    written_bytes: int = GIB
    matmul_flops: int = 0
    other_flops: int = 0
    passes: Passes = Passes()


def test_an_eager_operator_takes_its_bytes_too():
    assert eager([Record()], A100).seconds == pytest.approx(2 * GIB / (0.88 * 2.039e12) + 3e-6)


def test_an_eager_softmax_over_long_rows_reads_three_times():
    # a row of 1 MiB, two blocks on each of 108 multiprocessors; three reads and a write move 4/3 MiB in a pass
    thrice = Record(passes=Passes(reads=3.0, apart=1 << 20))
    expected = (2 * GIB + 2 * GIB * (1 - 20 / 288)) / (0.88 * 2.039e12) + 3e-6
    assert eager([thrice], A100).seconds == pytest.approx(expected)


def test_one_small_block_waits_for_each_of_its_loads():
    alone = Record(read_bytes=1 << 20, written_bytes=4, passes=Passes(alone=1024))
    assert eager([alone], A100).seconds == pytest.approx(1024 * 0.6e-6 + 3e-6)
    assert eager([alone], A100).limit == "latency"


def test_an_eager_float32_product_does_without_tensor_cores():
    product, half = Record(matmul_flops=10**13), Record(dtype="bfloat16", matmul_flops=10**13)
    assert eager([product], A100).seconds == pytest.approx(10**13 / 19.5e12 + 3e-6)
    assert eager([half], A100).seconds == pytest.approx(10**13 / (0.87 * 312e12) + 3e-6)


def test_what_is_not_modelled_is_not_trusted_unless_it_is_little():
    drawn = Record("aten::normal_", read_bytes=0, passes=Passes(modelled=False))
    assert eager([Record(), drawn], A100).trust == "unknown"
    assert "aten::normal_" in str(eager([Record(), drawn], A100).why.facts)
    assert eager([Record()] * 10 + [drawn], A100).trust == "predicted"


def test_atomics_are_not_trusted():
    assert predict([rows(atomic_bytes=GIB)], {1: LIGHT}, A100).trust == "unknown"
    assert predict([rows(atomic_bytes=1 << 20)], {1: LIGHT}, A100).trust == "predicted"


def test_a_fused_kernel_gains_what_it_does_not_move():
    chain = eager([Record(), Record(), Record()], A100)
    assert speedup(predict([rows()], {1: LIGHT}, A100), chain) == pytest.approx(3.0, rel=1e-3)


def test_predictions_add_up_and_the_doubt_of_one_remains():
    good, doubted = predict([rows()], {1: LIGHT}, A100), predict([rows(programs=8)], {1: LIGHT}, A100)
    both = together(good, doubted)
    assert both.seconds == good.seconds + doubted.seconds
    assert both.parts["memory"] == good.parts["memory"] + doubted.parts["memory"]
    assert both.trust == "unknown"
    assert both.why.facts["programs"] == "8"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.5, "failed"),
        (1.5, "failed"),
        (1.6, "undecided"),
        (2.0, "undecided"),
        (2.5, "undecided"),
        (2.6, "passed"),
        (None, "undecided"),
    ],
)
def test_near_its_bar_a_speedup_decides_nothing(ratio, said):
    assert verdict(ratio, bar=2.0) == said


def test_a_faster_device_is_faster():
    assert seconds(rows(), device=H100) < seconds(rows(), device=A100)


def test_every_device_has_what_the_model_asks_for():
    for name, device in DEVICES.items():
        assert device.bandwidth < device.l2_bandwidth, name
        assert 0.5 < device.sustained < 1, name
        assert device.tensor["half"] > device.fp32, name


def test_limits_are_named_in_parts():
    kernel, operator = predict([rows()], {1: LIGHT}, A100), eager([Record()], A100)
    assert {*kernel.parts, *operator.parts} == set(roofline.Limit.__args__)
