"""CZ103 unlisted-import

What it does
    Reports an import of a module that is not on the list of the kit or of the exercise. In the Triton track that list has
    no library that computes: neither numpy nor einops.

Why is this bad?
    Other libraries are not there when the file is graded, or they are the answer. The host code of a kernel allocates and
    launches; it has nothing to compute.

Example
    import scipy.special as s
    return s.softmax(x)

Use instead
    import math
    return x * math.pi
"""

import ast
from collections.abc import Iterator

from clozekit.exercise import Policy
from clozekit.report import Finding
from clozekit.rules.bindings import imported
from clozekit.rules.names import Names
from clozekit.rules.reading import MACHINE, finding

CODE = "CZ103"
FREE = frozenset(
    """
    __future__ abc argparse array ast base64 beartype bisect calendar cmath collections colorsys contextlib
    copy csv dataclasses datetime decimal difflib einops enum fractions functools graphlib hashlib heapq io
    itertools jaxtyping json keyword locale logging math numbers numpy operator os pathlib pprint random re
    regex secrets statistics string struct sys textwrap time timeit token torch traceback triton types typing
    typing_extensions unicodedata uuid warnings weakref zlib
    """.split()
)  # fmt: skip
COMPUTES = frozenset({"array", "cmath", "decimal", "einops", "fractions", "numpy", "random", "statistics", "struct"})


def check(tree: ast.Module, names: Names, policy: Policy) -> Iterator[Finding]:
    """Every import whose top-level module is on no list; one that nothing uses is a warning only."""
    free = FREE - COMPUTES if policy.kernel else FREE
    used = {node.id for node in names.nodes if isinstance(node, ast.Name)}
    for node in names.nodes:
        for alias, path in imported(node):
            top = path.partition(".")[0]
            if (
                top in free
                or top in MACHINE
                or any(path == each or path.startswith(f"{each}.") for each in policy.imports)
            ):
                continue  # those of MACHINE are CZ102's
            name = alias.asname or alias.name.partition(".")[0]
            idle = alias.name != "*" and name not in used
            facts = {"path": path.removesuffix(".*")}
            yield finding(CODE, "warning" if idle else "error", alias, facts)
