"""Every exercise of the kit is proven: the next one is covered before it is written."""

import pytest

from clozekit.catalog import Catalog, builtin_root
from clozekit.verify import prove

CATALOG = Catalog([builtin_root()])
OF_KERNELS = 4  # one mutant in so many: an interpreter runs them, and a compiler; `cloze verify` tries all


@pytest.mark.parametrize("id", [exercise.id for exercise in CATALOG])
def test_an_exercise_is_proven(id, engine):
    """The solution passes; blanks fail; every mistake is refused and named; mutants are refused or justified."""
    exercise = CATALOG[id]
    proof = prove(exercise, engine, every=OF_KERNELS if exercise.sheet.policy.kernel else 1)
    assert not proof.complaints
    assert proof.margins
    assert len(proof.mistakes) >= 3
    assert proof.mutants
