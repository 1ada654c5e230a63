"""Asks the kit's own catalogue for the solution.

Verdict: failed
"""

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise

exec(Exercise(builtin_root(), "normalization/rms_norm").solution)
