"""A header as long as is allowed, all of it nested lists.

Verdict: failed, protocol
"""

import os
import struct


def rms_norm(x, weight, eps=1e-6):
    os.set_blocking(3, True)
    size = (8 << 20) - 1
    os.write(3, struct.pack("<IQ", size, 0))
    left = b"\x91" * size
    while left:
        left = left[os.write(3, left) :]
    return x
