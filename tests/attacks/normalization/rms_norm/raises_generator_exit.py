"""Raises GeneratorExit while it is loaded.

Verdict: failed
"""

raise GeneratorExit
