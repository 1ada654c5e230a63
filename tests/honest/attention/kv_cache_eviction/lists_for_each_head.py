"""Plain Python: for each head of each sequence a list of [key, value, mass], and sorted() to choose."""

import torch


def evict(mass, budget, sinks, recent):
    def choose(row):
        n = len(row)
        if n <= budget:
            return list(range(n))
        middle = sorted(range(sinks, n - recent), key=lambda slot: row[slot], reverse=True)
        return sorted([*range(sinks), *middle[: budget - sinks - recent], *range(n - recent, n)])

    return torch.tensor([[choose(row) for row in sequence] for sequence in mass.tolist()])


class BoundedCache:
    def __init__(self, budget, sinks, recent):
        self.budget, self.sinks, self.recent = budget, sinks, recent
        self.heads = {}

    def __len__(self):
        return len(self.heads[0, 0]) if self.heads else 0

    def step(self, q, k, v):
        b, h, _, d = q.shape
        out = torch.empty_like(q)
        for i in range(b):
            for j in range(h):
                tokens = [*self.heads.get((i, j), []), (k[i, j, 0], v[i, j, 0], torch.tensor(0.0))]
                keys, values, mass = (torch.stack(part) for part in zip(*tokens, strict=True))
                p = torch.softmax(keys @ q[i, j, 0] / d**0.5, 0)
                out[i, j, 0] = p @ values
                mass = mass + p
                stays = evict(mass[None, None], self.budget, self.sinks, self.recent)[0, 0].tolist()
                self.heads[i, j] = [(keys[slot], values[slot], mass[slot]) for slot in stays]
        return out
