"""A well-typed answer whose lists are nested fifty thousand deep.

Verdict: failed, protocol
"""

import os
import struct


def rms_norm(x, weight, eps=1e-6):
    depth = 50_000
    item = b"\x83\xa4type\xa5items\xa4kind\xa4list\xa5items\x91"
    header = b"\x83\xa4type\xa8Returned\xa5nonce\x01\xa5value" + item * depth + b"\xc0"
    os.set_blocking(3, True)
    left = struct.pack("<IQ", len(header), 0) + header
    while left:
        left = left[os.write(3, left) :]
    return x
