"""The file never finishes loading.

Seconds: 0.5
Verdict: failed, timeout
"""

while True:
    pass
