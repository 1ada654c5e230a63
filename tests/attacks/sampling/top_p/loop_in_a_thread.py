"""Loops in a thread, which is not traced.

Verdict: failed
"""

import threading

import torch


def work(logits, p, temperature, result):
    out = torch.zeros(logits.shape)
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    for row, kept in zip(probs.reshape(-1, probs.shape[-1]), out.view(-1, probs.shape[-1])):
        total = 0.0
        for i in row.argsort(descending=True).tolist():
            if total >= p:
                break
            kept[i] = row[i]
            total += row[i].item()
    result.append((out / out.sum(-1, keepdim=True)).to(logits.dtype))


def top_p_probs(logits, p, temperature=1.0):
    result = []
    thread = threading.Thread(target=work, args=(logits, p, temperature, result))
    thread.start()
    thread.join()
    return result[0]
