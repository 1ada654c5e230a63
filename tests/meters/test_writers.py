"""Who wrote what: memory that nobody has written, and places that several programs store to."""

import pytest
import torch

from clozekit.meters.measuring import call

SUM = """
@triton.jit
def sum_kernel(total, x, cols, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    part = tl.sum(tl.load(x + tl.program_id(0) * cols + at, mask=at < cols, other=0.0), axis=0)
    {write}

def total(x):
    y = {make}
    sum_kernel[(len(x),)](y, x, x.shape[1], BLOCK=128)
    return y
"""
ADDS = "tl.atomic_add(total, part)"
STORES = "tl.store(total, part)"
AGAIN = "sum_kernel[(1,)](x, y, 8, BLOCK=8)"  # a second launch, which loads what the first has stored
STORES_APART = "tl.store(total + tl.program_id(0), part)"


@pytest.fixture
def launch(load):
    """launch(write, make): the one launch of SUM over eight rows."""

    def launch(write, make):
        (found,), _ = call(load(SUM.format(write=write, make=make)).total, [torch.zeros(8, 100)], {}, {})
        return found

    return launch


@pytest.mark.parametrize(
    ("make", "unwritten"),
    [
        ("torch.empty(1)", 4),  # on a GPU it holds anything; the first to add has written it
        ("torch.zeros(1)", 0),
        ("torch.empty(1).zero_()", 0),
        ("torch.empty(1).fill_(3.0)", 0),
        ("torch.empty(4)[1:2].zero_()", 0),
        ("torch.empty_like(x)", 4),
        ("torch.full((1,), 3.0)", 0),
        ("x.new_empty(1)", 4),
    ],
)
def test_memory_that_nobody_has_written(make, unwritten, launch):
    assert launch(ADDS, make).unwritten_bytes == unwritten


@pytest.mark.parametrize(("write", "conflicts"), [(STORES, 7), (ADDS, 0), (STORES_APART, 0)])
def test_places_that_several_programs_store_to(write, conflicts, launch):
    assert launch(write, "torch.zeros(8)").write_conflicts == conflicts


def test_what_one_launch_stores_another_may_load(load):
    twice = SUM.format(write=STORES_APART, make="torch.empty(8)").replace("return y", AGAIN)
    launches, _ = call(load(twice).total, [torch.zeros(8, 100)], {}, {})
    assert [launch.unwritten_bytes for launch in launches] == [0, 0]


def test_where_not_all_programs_run_nothing_is_said(load):
    """Those that do not run may have written it."""
    many = SUM.format(write=STORES_APART, make="torch.empty(len(x))").replace("return y", AGAIN)
    launches, _ = call(load(many).total, [torch.zeros(5000, 4)], {}, {})
    assert [launch.sampled for launch in launches] == [True, False]
    assert [launch.unwritten_bytes for launch in launches] == [0, 0]
