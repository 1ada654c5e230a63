"""gather fills one buffer and returns parts of it: what was gathered earlier becomes something else.

Verdict: failed, earlier-result
"""

import torch
import torch.nn.functional as F


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.size = block_size
        self.pool = torch.zeros(2, num_blocks, block_size, h, head_dim)
        self.buffer = torch.zeros(2, num_blocks * block_size, h, head_dim)
        self.unused, self.tables, self.lengths = list(range(num_blocks)), {}, {}

    def append(self, seq, k, v):
        table = self.tables.setdefault(seq, [])
        for key, value in zip(k, v):
            p = self.lengths.get(seq, 0)
            if p == len(table) * self.size:
                table.append(self.unused.pop(0))
            self.pool[0, table[p // self.size], p % self.size] = key
            self.pool[1, table[p // self.size], p % self.size] = value
            self.lengths[seq] = p + 1
        return list(table)

    def gather(self, seq):
        n = self.lengths[seq]
        self.buffer[:, :n] = self.pool[:, self.tables[seq]].flatten(1, 2)[:, :n]
        return tuple(self.buffer[:, :n])

    def attend(self, seq, q):
        k, v = (x.transpose(0, 1) for x in self.gather(seq))
        return F.scaled_dot_product_attention(q[:, None], k, v)[:, 0]

    def free(self, seq):
        del self.lengths[seq]
        self.unused = sorted(self.unused + self.tables.pop(seq))
        return len(self.unused)

    def block(self, number):
        return tuple(self.pool[:, number].clone())
