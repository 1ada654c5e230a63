"""Pages of a fixed size as in vLLM, joined for the answer; a deque, walrus, ceil division."""

from collections import deque
from itertools import islice

import torch

PAGE = 4


class Page:
    def __init__(self, like):
        b, h, _, d = like.shape
        self.data = torch.zeros(2, b, h, PAGE, d, dtype=like.dtype, device=like.device)
        self.used = 0

    def take(self, k, v):
        """Store what fits; how many tokens that was."""
        if fits := min(PAGE - self.used, k.shape[2]):
            self.data[:, :, :, self.used : self.used + fits] = torch.stack([k, v])[:, :, :, :fits]
            self.used += fits
        return fits


class KVCache:
    def __init__(self):
        self.pages = deque()

    def __len__(self):
        full = islice(self.pages, max(len(self.pages) - 1, 0))
        return sum(PAGE for _ in full) + (self.pages[-1].used if self.pages else 0)

    def append(self, k, v):
        done = 0
        while done < k.shape[2]:
            if not self.pages or self.pages[-1].used == PAGE:
                self.pages.append(Page(k))
            done += self.pages[-1].take(k[:, :, done:], v[:, :, done:])
        keys, values = torch.cat([page.data[:, :, :, : page.used] for page in self.pages], dim=3)
        return keys, values


def attend(q, k, v, cache):
    keys, values = cache.append(k, v)
    position = len(cache) - q.shape[2] + torch.arange(q.shape[2])
    visible = torch.arange(len(cache)) <= position[:, None]
    scores = torch.matmul(q, keys.mT) * q.shape[-1] ** -0.5
    scores = torch.where(visible, scores, torch.finfo(scores.dtype).min)
    return torch.matmul(scores.softmax(dim=-1), values)
