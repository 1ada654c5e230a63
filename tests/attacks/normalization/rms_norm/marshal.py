"""A code object packed and unpacked by marshal.

Verdict: failed
"""

import marshal
import types

import torch

packed = marshal.dumps(compile("lambda x, w, e: torch." + "rms_norm(x, w.shape, w, e)", "f", "eval"))
fused = types.FunctionType(marshal.loads(packed), globals())()


def rms_norm(x, weight, eps=1e-6):
    return fused(x, weight, eps)
