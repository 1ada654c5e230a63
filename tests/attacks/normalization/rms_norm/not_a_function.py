"""The entry point is a number.

Verdict: failed
"""

rms_norm = 42
