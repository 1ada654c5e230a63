"""What the tests against other libraries share: an exercise's solution and grader as modules."""

import importlib.util
import types
from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from clozekit import blanks
from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise


@pytest.fixture
def kit() -> Callable[[str], tuple[ModuleType, ModuleType]]:
    """kit("models/scaling_law"): the module of the kit's solution, and that of its grader."""
    torch.manual_seed(0)

    def load(id: str) -> tuple[ModuleType, ModuleType]:
        exercise = Exercise(builtin_root(), id)
        solution = types.ModuleType(exercise.name)
        exec(blanks.reveal(exercise.solution), vars(solution))
        spec = importlib.util.spec_from_file_location(exercise.grader_path.stem, exercise.grader_path)
        assert spec
        assert spec.loader
        grader = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(grader)
        return solution, grader

    return load
