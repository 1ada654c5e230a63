"""Global switches of torch: default dtype, default device, threads, determinism, anomaly mode; then zeros.

Verdict: failed
"""

import torch

torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
torch.set_flush_denormal(True)
torch.autograd.set_detect_anomaly(True)


def rms_norm(x, weight, eps=1e-6):
    return torch.zeros(x.shape)
