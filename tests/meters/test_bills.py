"""Costs, added up and held against those of a solution."""

import pytest

from clozekit.meters.assembling import Facts
from clozekit.meters.bills import Bill, alike, held, of_launches, problem
from clozekit.meters.costs import Launch, Look

LAUNCHES = [
    Launch("first", [4, 1, 1], load_bytes=100, store_bytes=50, atomic_bytes=8, sectors=9, plain_flops=7, compiled_as=1),
    Launch("second", [1, 1, 1], load_bytes=1, dot_flops=12, dots={"fp16": 8, "fp32 ieee": 4}, compiled_as=2),
]
FACTS = {1: {"sm_80": Facts(stack_bytes=0), "sm_90": Facts(stack_bytes=24)}, 2: {"sm_80": Facts(stack_bytes=16)}}


def test_launches_are_added_up():
    assert of_launches(LAUNCHES, FACTS).costs == {
        "launches": 2,
        "loads": 109,  # an atomic loads and stores
        "stores": 58,
        "sectors": 9,
        "flops": 12,
        "plain_flops": 7 + 4,  # no tensor core multiplies float32 in full
        "stack": 24,
    }


def test_a_kernel_that_does_not_compile_has_no_costs():
    refused = of_launches(LAUNCHES, FACTS | {2: {"sm_90": Facts(error="line 3: no")}})
    assert refused == Bill(refused={"kernel": "second", "target": "sm_90", "error": "line 3: no"})


def test_a_launch_that_was_not_compiled_is_not_taken_for_one_without_a_stack():
    """Only so many kernels of a call are compiled: behind these, one that spills could hide."""
    hidden = Launch("third", [1, 1, 1], compiled_as=0)
    assert of_launches([*LAUNCHES, hidden], FACTS).refused["kernel"] == "third"


SOLUTION = Bill({"loads": 1000, "stack": 0, "flops": 160, "plain_flops": 5})
HELD = {  # name, yours, times the solution's, the bar, the verdict
    "at the bar": ("loads", 1000, 1, 1000, "passed"),
    "a rounding of the sample above it": ("loads", 1000.5, 1, 1000, "passed"),
    "above it": ("loads", 1010, 1, 1000, "failed"),
    "within a ratio": ("loads", 1490, 1.5, 1500, "passed"),
    "a little stack beside none": ("stack", 64, 1, 64, "passed"),
    "more stack": ("stack", 72, 1, 64, "failed"),
    "arithmetic that products outweigh": ("plain_flops", 15, 1, 15, "passed"),
    "more arithmetic": ("plain_flops", 16, 1, 15, "failed"),
}


@pytest.mark.parametrize("case", HELD)
def test_costs_are_ratios_to_the_solution(case):
    name, yours, ratio, bar, verdict = HELD[case]
    meter = held(Bill({name: yours}), SOLUTION, {name: ratio})[name]
    assert (meter.bar, meter.verdict) == (bar, verdict)
    assert (problem("f()", {name: meter}) is None) == (verdict == "passed")


def test_a_sample_above_the_bar_by_chance_decides_nothing():
    """What is undecided does not refuse."""
    few, many = ([{"loads": each} for each in (4000, 0, 0, 4000, 4000)] * times for times in (1, 100))
    for looks, verdict in ((few, "could not check"), (many, "failed")):
        meters = held(Bill({"loads": 2400}, looks), SOLUTION, {"loads": 1})
        assert meters["loads"].verdict == verdict
        assert (problem("f()", meters) is None) == (verdict == "could not check")


def test_programs_that_have_cost_the_same_often_enough_are_taken_to_be_alike():
    """A few per cent too much would take thousands of looks to be sure of."""
    for looks, enough, verdict in ((8, 9, "could not check"), (9, 9, "failed")):
        meters = held(Bill({"loads": 1010}, [{"loads": 1010}] * looks), SOLUTION, {"loads": 1}, enough)
        assert meters["loads"].verdict == verdict
    uneven = [{"loads": each} for each in (1000, 1020) * 9]
    assert held(Bill({"loads": 1010}, uneven), SOLUTION, {"loads": 1}, 9)["loads"].verdict == "could not check"


def test_each_look_is_the_cost_of_the_whole_call():
    """What was counted whole is the same in each; a launch that was seen less often ends the series."""
    sampled = Launch("sampled", [900, 1, 1], sampled=True, load_bytes=30, looks=[Look(20), Look(40), Look(30)])
    rarely = Launch("rarely", [900, 1, 1], sampled=True, load_bytes=2, looks=[Look(1), Look(3)])
    bill = of_launches([Launch("whole", [1, 1, 1], load_bytes=5), sampled, rarely], {})
    assert bill.costs["loads"] == 37
    assert [look["loads"] for look in bill.looks] == [26, 48]


def test_what_was_not_counted_has_no_meter():
    assert held(Bill({"loads": 1}), SOLUTION, {"scratch": 1, "loads": 1}).keys() == {"loads"}


def meters(**costs):
    return held(Bill(costs), SOLUTION, {"loads": 1, "stack": 1})


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        ({"loads": 2000, "stack": 0}, True),
        ({"loads": 2400, "stack": 0}, True),
        ({"loads": 4000, "stack": 0}, False),  # the same meter, by another amount
        ({"loads": 2000, "stack": 500}, False),  # another one as well
        ({"loads": 1000, "stack": 0}, False),
    ],
)
def test_two_costs_are_alike_if_the_same_meters_are_exceeded_by_about_as_much(theirs, same):
    assert alike(meters(loads=2000, stack=0), meters(**theirs)) is same
