"""The text of an exception never ends.

Seconds: 0.5
Verdict: failed, timeout
"""

class Slow(Exception):
    def __str__(self):
        while True:
            pass


def rms_norm(x, weight, eps=1e-6):
    raise Slow
