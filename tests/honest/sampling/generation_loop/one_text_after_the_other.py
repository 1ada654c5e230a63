"""Batches the model's calls only: each text is filtered and drawn in plain Python, with bisect on running sums."""
import itertools
import math
from bisect import bisect_right

import torch


def distribution(logits, temperature, top_k, top_p):
    scores = [x / temperature for x in logits]
    ranking = sorted(range(len(scores)), key=lambda v: -scores[v])[: top_k or None]
    top = scores[ranking[0]]
    masses = {v: math.exp(scores[v] - top) for v in ranking}
    whole, kept, mass = sum(masses.values()), {}, 0.0
    for v in ranking:
        kept[v] = masses[v]
        mass += masses[v] / whole
        if mass >= top_p:
            break
    total = sum(kept.values())
    return [kept.get(v, 0.0) / total for v in range(len(scores))]


def generate(model, ids, mask, uniforms, stop, pad, temperature=1.0, top_k=0, top_p=1.0):
    cache = model.new_cache()
    texts = ids.tolist()
    open_texts = set(range(len(texts)))
    unread = ids
    for column in uniforms.T.tolist():
        said = model(unread, mask, cache)[:, -1].tolist()
        for row, u in enumerate(column):
            if row in open_texts:
                sums = list(itertools.accumulate(distribution(said[row], temperature, top_k, top_p)))
                token = bisect_right(sums, u)
                texts[row].append(token)
                if token in stop:
                    open_texts.discard(row)
            else:
                texts[row].append(pad)
        if not open_texts:
            break
        unread = torch.tensor([[text[-1]] for text in texts])
        mask = torch.nn.functional.pad(mask, (0, 1), value=True)
    return torch.tensor(texts)
