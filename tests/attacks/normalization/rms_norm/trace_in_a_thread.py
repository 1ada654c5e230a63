"""The fused function in a thread, where thread-local modes do not look.

Verdict: failed
"""

import threading

import torch


def compute(lib, out, x, weight, eps):
    out.append(lib.rms_norm(x, weight.shape, weight, eps))


def rms_norm(x, weight, eps=1e-6):
    out = []
    thread = threading.Thread(target=compute, args=(torch, out, x, weight, eps))
    thread.start()
    thread.join()
    return out[0]
