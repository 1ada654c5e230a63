"""The cache of a library, which is not there.

Verdict: failed, CZ001
"""

import torch
from transformers import DynamicCache


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.cache = DynamicCache()

    def append(self, seq, k, v):
        return self.cache.update(k[None], v[None], seq)

    def gather(self, seq):
        return self.cache[seq]

    def attend(self, seq, q):
        return q

    def free(self, seq):
        return 0

    def block(self, number):
        return torch.zeros(1), torch.zeros(1)
