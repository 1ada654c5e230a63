"""Raises pytest's Exit at import.

Verdict: failed
"""

import sys


class Exit(BaseException):
    returncode = 0


raise sys.modules["pytest"].exit.Exception("bye") if "pytest" in sys.modules else Exit("bye")
