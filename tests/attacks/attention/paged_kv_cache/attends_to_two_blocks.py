"""Attention reaches back over two blocks of tokens, and no further.

Verdict: failed
"""

import torch
import torch.nn.functional as F


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.size = block_size
        self.k = torch.zeros(num_blocks, block_size, h, head_dim)
        self.v = torch.zeros_like(self.k)
        self.unused, self.tables, self.lengths = list(range(num_blocks)), {}, {}

    def append(self, seq, k, v):
        table = self.tables.setdefault(seq, [])
        for key, value in zip(k, v):
            p = self.lengths.get(seq, 0)
            if p == len(table) * self.size:
                table.append(self.unused.pop(0))
            self.k[table[p // self.size], p % self.size] = key
            self.v[table[p // self.size], p % self.size] = value
            self.lengths[seq] = p + 1
        return list(table)

    def gather(self, seq):
        table = self.tables[seq]
        n = self.lengths[seq]
        return self.k[table].flatten(0, 1)[:n], self.v[table].flatten(0, 1)[:n]

    def attend(self, seq, q):
        k, v = (x[-2 * self.size :].transpose(0, 1) for x in self.gather(seq))
        return F.scaled_dot_product_attention(q[:, None], k, v)[:, 0]

    def free(self, seq):
        del self.lengths[seq]
        self.unused = sorted(self.unused + self.tables.pop(seq))
        return len(self.unused)

    def block(self, number):
        return self.k[number].clone(), self.v[number].clone()
