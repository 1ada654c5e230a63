"""Waits for a lock that it holds.

Seconds: 0.5
Verdict: failed, timeout
"""

import threading


def rms_norm(x, weight, eps=1e-6):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
