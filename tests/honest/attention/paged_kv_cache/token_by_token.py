"""A boolean list of what is in use; tokens one by one; divmod; sdpa over stacked tokens."""

import torch
import torch.nn.functional as F


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.k = torch.zeros([num_blocks, block_size, h, head_dim])
        self.v = torch.zeros([num_blocks, block_size, h, head_dim])
        self.in_use = [False] * num_blocks
        self.seqs = {}  # seq -> [table, length]

    def append(self, seq, k, v):
        state = self.seqs.setdefault(seq, [[], 0])
        for key, value in zip(k, v):
            block, place = divmod(state[1], self.k.size(1))
            if block == len(state[0]):
                number = self.in_use.index(False)
                self.in_use[number] = True
                state[0].append(number)
            self.k[state[0][block], place] = key
            self.v[state[0][block], place] = value
            state[1] += 1
        return state[0][:]

    def gather(self, seq):
        table, length = self.seqs[seq]
        where = [(table[p // self.k.size(1)], p % self.k.size(1)) for p in range(length)]
        return torch.stack([self.k[b, p] for b, p in where]), torch.stack([self.v[b, p] for b, p in where])

    def attend(self, seq, q):
        k, v = self.gather(seq)
        return F.scaled_dot_product_attention(q[:, None], k.transpose(0, 1), v.transpose(0, 1))[:, 0]

    def free(self, seq):
        for number in self.seqs.pop(seq)[0]:
            self.in_use[number] = False
        return self.in_use.count(False)

    def block(self, number):
        return self.k[number].clone(), self.v[number].clone()
