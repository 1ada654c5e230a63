"""Texts that cannot be encoded.

Verdict: failed
"""

def train_bpe(text, num_merges):
    return [("\ud800", "\udfff")] * num_merges
