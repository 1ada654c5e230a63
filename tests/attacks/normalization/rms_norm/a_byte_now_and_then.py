"""Keeps the judge waiting by a byte every tenth of a second.

Seconds: 0.5
Verdict: failed, timeout
"""

import os
import struct
import time


def rms_norm(x, weight, eps=1e-6):
    os.write(3, struct.pack("<IQ", 1_000_000, 0))
    while True:
        os.write(3, b"\x82")
        time.sleep(0.1)
