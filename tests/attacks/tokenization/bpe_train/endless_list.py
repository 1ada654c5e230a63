"""A list that never ends.

Seconds: 0.5
Verdict: failed
"""

import itertools


def train_bpe(text, num_merges):
    return list(itertools.repeat((b"a", b"b"), 10**9))
