"""Seeds and switches for reproducible runs at the top, a device chosen, a first try with a training step below."""
import os
import random
import time

import numpy as np
import torch

os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
random.seed(0); np.random.seed(0); torch.manual_seed(0)
torch.use_deterministic_algorithms(True)
torch.backends.cudnn.benchmark = False
torch.set_printoptions(precision=3, sci_mode=False)
torch.set_float32_matmul_precision("high")
torch.set_num_threads(1)
torch.autograd.set_detect_anomaly(True)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

def rms_norm(x, weight, eps=1e-6):
    """y = x / sqrt(mean(x²) + eps) · weight"""
    start = time.perf_counter()
    wide = x.to(torch.float32)
    rms = wide.square().mean(dim=-1, keepdim=True).add(eps).sqrt()
    y = wide.div(rms).mul(weight).to(x.dtype)
    print(f"took {(time.perf_counter() - start) * 1e6:.0f} µs")
    return y

w = torch.nn.Parameter(torch.ones(4, device=device))
optimizer = torch.optim.AdamW([w], lr=1e-3)
loss = rms_norm(torch.randn(2, 4, device=device), w).square().sum()
loss.backward()
optimizer.step()
print(w)
