"""Takes the block that was freed last, as a stack of unused blocks does.

Verdict: failed
"""

import math

import torch


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.size = block_size
        self.pool = torch.zeros(2, num_blocks, block_size, h, head_dim)
        self.unused, self.tables, self.lengths = list(range(num_blocks))[::-1], {}, {}

    def slots(self, seq, start, end):
        place = torch.arange(start, end)
        return torch.tensor(self.tables[seq])[place // self.size] * self.size + place % self.size

    def append(self, seq, k, v):
        table, start = self.tables.setdefault(seq, []), self.lengths.get(seq, 0)
        self.lengths[seq] = start + len(k)
        while len(table) * self.size < start + len(k):
            table.append(self.unused.pop())
        self.pool.flatten(1, 2)[:, self.slots(seq, start, start + len(k))] = torch.stack([k, v])
        return list(table)

    def gather(self, seq):
        return tuple(self.pool.flatten(1, 2)[:, self.slots(seq, 0, self.lengths[seq])])

    def attend(self, seq, q):
        k, v = (x.transpose(0, 1) for x in self.gather(seq))
        return ((q[:, None] @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v)[:, 0]

    def free(self, seq):
        self.unused += self.tables.pop(seq)[::-1]
        del self.lengths[seq]
        return len(self.unused)

    def block(self, number):
        return tuple(self.pool[:, number].clone())
