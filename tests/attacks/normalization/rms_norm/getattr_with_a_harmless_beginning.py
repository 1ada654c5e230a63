"""getattr with a text whose written beginning looks like a field's.

Verdict: failed, CZ101
"""

import logging
import torch
import torch.nn.functional as F

def rms_norm(x, weight, eps=1e-6):
    lib, log = [lambda: F][0](), [lambda: logging][0]()
    out = []
    tail = "norm"
    t = getattr(log, f"thread{'ing'}").Thread(target=lambda: out.append(getattr(lib, f"rms_{tail}")(x, weight.shape, weight, eps)))
    t.start()
    t.join()
    x * 1
    return out[0]
