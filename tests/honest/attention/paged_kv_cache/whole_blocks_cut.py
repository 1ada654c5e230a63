"""index_select of whole blocks, then cut to the length; a set of unused blocks and min; scatter by index_copy_."""

import math
from collections import defaultdict

import torch


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.block_size = block_size
        self.kv = torch.zeros(2, num_blocks * block_size, h, head_dim)
        self.idle = set(range(num_blocks))
        self.tables = defaultdict(lambda: torch.empty(0, dtype=torch.long))
        self.length = defaultdict(int)

    def append(self, seq, k, v):
        total = self.length[seq] + len(k)
        for _ in range(math.ceil(total / self.block_size) - len(self.tables[seq])):
            number = min(self.idle)
            self.idle.discard(number)
            self.tables[seq] = torch.cat([self.tables[seq], torch.tensor([number])])
        slots = self.tables[seq].repeat_interleave(self.block_size) * self.block_size
        slots = slots + torch.arange(self.block_size).repeat(len(self.tables[seq]))
        self.kv.index_copy_(1, slots[self.length[seq] : total], torch.stack((k, v)))
        self.length[seq] = total
        return self.tables[seq].tolist()

    def gather(self, seq):
        blocks = self.kv.view(2, -1, self.block_size, *self.kv.shape[2:]).index_select(1, self.tables[seq])
        k, v = blocks.flatten(1, 2)[:, : self.length[seq]]
        return k, v

    def attend(self, seq, q):
        k, v = self.gather(seq)
        scores = (k * q).sum(-1) * q.shape[-1] ** -0.5
        return (torch.softmax(scores, 0)[..., None] * v).sum(0)

    def free(self, seq):
        self.idle.update(self.tables.pop(seq).tolist())
        self.length.pop(seq)
        return len(self.idle)

    def block(self, number):
        rows = slice(number * self.block_size, (number + 1) * self.block_size)
        return self.kv[0, rows].clone(), self.kv[1, rows].clone()
