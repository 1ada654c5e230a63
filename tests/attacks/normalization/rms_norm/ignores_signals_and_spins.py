"""Blocks every signal in every way and spins.

Seconds: 0.5
Verdict: failed, timeout
"""

import signal


def rms_norm(x, weight, eps=1e-6):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
    for number in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
