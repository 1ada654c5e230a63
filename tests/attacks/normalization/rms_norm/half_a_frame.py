"""Sends the beginning of an answer and no more.

Seconds: 0.5
Verdict: failed, timeout
"""

import os
import struct
import time


def rms_norm(x, weight, eps=1e-6):
    os.write(3, struct.pack("<IQ", 1000, 0) + b"\x82")
    time.sleep(1000)
