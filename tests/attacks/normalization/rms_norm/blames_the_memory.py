"""An exception that on a GPU would be nobody's fault.

Verdict: failed, raised
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
