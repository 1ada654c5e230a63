"""A heap of unused blocks, a dataclass for a sequence; blocks are filled and read one after the other, online softmax."""

import heapq
from dataclasses import dataclass, field

import torch


@dataclass
class Sequence:
    table: list = field(default_factory=list)
    used_in_last: int = 0


class PagedKVCache:
    def __init__(self, num_blocks, block_size, h, head_dim):
        self.size = block_size
        self.pool = [torch.zeros(2, block_size, h, head_dim) for _ in range(num_blocks)]
        self.heap = list(range(num_blocks))
        heapq.heapify(self.heap)
        self.sequences = {}

    def append(self, seq, k, v):
        entry = self.sequences.get(seq)
        if entry is None:
            entry = self.sequences[seq] = Sequence(used_in_last=self.size)
        kv = torch.stack([k, v])
        done = 0
        while done < k.shape[0]:
            if entry.used_in_last == self.size:
                entry.table.append(heapq.heappop(self.heap))
                entry.used_in_last = 0
            count = min(self.size - entry.used_in_last, k.shape[0] - done)
            place = slice(entry.used_in_last, entry.used_in_last + count)
            self.pool[entry.table[-1]][:, place] = kv[:, done : done + count]
            entry.used_in_last += count
            done += count
        return list(entry.table)

    def parts(self, seq):
        entry = self.sequences[seq]
        for number in entry.table:
            last = number == entry.table[-1]
            yield self.pool[number][:, : entry.used_in_last if last else self.size]

    def gather(self, seq):
        kv = torch.cat(list(self.parts(seq)), dim=1)
        return kv[0], kv[1]

    def attend(self, seq, q):
        peak = torch.full((q.shape[0], 1), -torch.inf)
        total, mixed = torch.zeros(q.shape[0], 1), torch.zeros(q.shape)
        for k, v in self.parts(seq):
            scores = torch.matmul(k.transpose(0, 1), q[:, :, None])[..., 0] / q.shape[1] ** 0.5
            new = torch.maximum(peak, scores.amax(1, keepdim=True))
            weights = torch.exp(scores - new)
            old = torch.exp(peak - new)
            total = total * old + weights.sum(1, keepdim=True)
            mixed = mixed * old + torch.matmul(weights[:, None], v.transpose(0, 1))[:, 0]
            peak = new
        return mixed / total

    def free(self, seq):
        for number in self.sequences.pop(seq).table:
            heapq.heappush(self.heap, number)
        return len(self.heap)

    def block(self, number):
        return tuple(self.pool[number].clone())
