"""Runs out of stack in a thread of 32 kB.

Seconds: 0.5
Verdict: failed
"""

import sys
import threading

import torch


def rms_norm(x, weight, eps=1e-6):
    threading.stack_size(32768)

    def down(n):
        return repr([down(n + 1)]) if n < 100_000 else ""

    sys.setrecursionlimit(1 << 30)
    thread = threading.Thread(target=down, args=(0,))
    thread.start()
    thread.join()
    return torch.zeros_like(x)
