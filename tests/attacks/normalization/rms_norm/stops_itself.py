"""Stops its own process.

Seconds: 0.5
Verdict: failed
"""

import os
import signal


def rms_norm(x, weight, eps=1e-6):
    os.kill(os.getpid(), signal.SIGSTOP)
