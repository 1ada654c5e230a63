"""The forbidden function runs in a thread, where no mode of ours records; the main thread asks torch for nothing.

Verdict: failed, untraced
"""

from concurrent.futures import ThreadPoolExecutor

import torch


def rms_norm(x, weight, eps=1e-6):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.nn.functional.rms_norm, x, weight.shape, weight, eps).result()
