"""What the interpreter refuses: an ordinary exception that brings along what it says as facts, for other languages.

raise refused(TypeError, "kernel-truth", kind="int1[4]")
    TypeError: `if`, `while` and `x if c else y` need a scalar, not int1[4]: see tl.where
    its `problem`: Problem("kernel-truth", {"kind": "int1[4]"})

refused(NameError, "kernel-line kernel-undefined", kernel="softmax_kernel", line=12, name="np")
    of several phrases each is the {error} of the one before
"""

from typing import TypeVar

from clozekit.describe import describe
from clozekit.report import Problem

Refused = TypeVar("Refused", bound=Exception)


def refused(exception: type[Refused], phrases: str, **facts: object) -> Refused:
    """The exception. What reads it on the other side takes nothing but phrases that begin with `kernel-`, see `candidate`."""
    first, _, cause = phrases.partition(" ")
    problem = Problem(first, {name: str(value) for name, value in facts.items()} | ({"cause": cause} if cause else {}))
    error = exception(describe(problem, "en"))
    error.problem = problem  # type: ignore[attr-defined]
    return error
