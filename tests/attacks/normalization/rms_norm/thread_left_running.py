"""A thread lives on and may write to the answer whenever it likes.

Verdict: failed, threads
"""

import threading

import torch

stop = threading.Event()


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    answer = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight.float()).to(x.dtype)
    threading.Thread(target=stop.wait, args=(60,), daemon=True).start()
    return answer
