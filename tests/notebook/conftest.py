"""What the tests of notebooks share."""

import pytest

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise


@pytest.fixture(scope="session")
def mistaken() -> str:
    """A known mistake in top_p."""
    exercise = Exercise(builtin_root(), "sampling/top_p")
    return exercise.mistaken(exercise.mistakes["forgets_to_renormalise"])
