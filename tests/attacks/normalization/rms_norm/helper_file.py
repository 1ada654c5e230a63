"""The cheat is written to a file of its own and imported.

Verdict: failed
"""

import sys
from pathlib import Path

Path("helper_of_mine.py").write_text("from torch import rms_norm as fused\n")
sys.path.insert(0, "")
from helper_of_mine import fused


def rms_norm(x, weight, eps=1e-6):
    return fused(x, weight.shape, weight, eps)
