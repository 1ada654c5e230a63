"""Softmax by hand, an early return for p = 1, sort of the logits, F.pad for the shift, put back by an index of rows."""
import torch
import torch.nn.functional as F

# @title Top-p sampling { display-mode: "form" }
TEST = False  #@param {type:"boolean"}

def softmax(z, temperature):
    z = z.type(torch.FloatTensor) / temperature
    z = z - z.max(dim=-1, keepdim=True).values
    e = torch.exp(z)
    return e / e.sum(dim=-1, keepdim=True)

def top_p_probs(logits, p, temperature=1.0):
    probs = softmax(logits, temperature)
    if p >= 1.0: return probs.to(logits.dtype)
    batched = probs.reshape(-1, probs.shape[-1])
    order = torch.argsort(-batched, dim=-1)
    rows = torch.arange(len(batched)).unsqueeze(1)
    ranked = batched[rows, order]
    before = F.pad(ranked.cumsum(-1)[:, :-1], (1, 0))
    keep = before < p
    result = torch.zeros_like(batched)
    result[rows, order] = ranked * keep / (ranked * keep).sum(-1, keepdim=True)
    return result.reshape(probs.shape).to(logits.dtype)

if TEST:
    print(top_p_probs(torch.tensor([1., 2., 3.]), 0.9))
