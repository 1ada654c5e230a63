"""The fused function in a thread pool that was started at import, before any mode.

Verdict: failed
"""

from concurrent.futures import ThreadPoolExecutor

import torch

pool = ThreadPoolExecutor(1)
pool.submit(int).result()


def compute(lib, x, weight, eps):
    return lib.rms_norm(x, weight.shape, weight, eps)


def rms_norm(x, weight, eps=1e-6):
    return pool.submit(compute, torch, x, weight, eps).result()
