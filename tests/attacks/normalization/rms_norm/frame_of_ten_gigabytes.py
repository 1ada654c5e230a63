"""A frame that announces ten gigabytes of tensors.

Verdict: failed, protocol
"""

import os
import struct


def rms_norm(x, weight, eps=1e-6):
    os.write(3, struct.pack("<IQ", 100, 10 << 30) + bytes(100))
    return x
