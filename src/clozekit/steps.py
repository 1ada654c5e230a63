"""How much of the work is done by Python itself.

with Steps("rms_norm.py", wanted=True) as steps:
    rms_norm(x, weight)
steps.count         4: lines of that file that ran
"""

import sys
import types
from typing import Any


class Steps:
    """Counts the lines of one file that run: how much of the work is done by Python itself."""

    def __init__(self, name: str, wanted: bool):
        self.name, self.wanted, self.count = name, wanted, 0

    def __enter__(self) -> "Steps":
        if self.wanted:
            sys.settrace(self.trace)
        return self

    def __exit__(self, *_: object) -> None:
        if self.wanted:
            sys.settrace(None)

    def trace(self, frame: types.FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != self.name:
            return None
        self.count += event == "line"
        return self.trace
