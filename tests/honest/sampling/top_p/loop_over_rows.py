"""One row at a time: a function for one row, a loop over the batch, recursion for 1-D input, index assignment."""
import torch

def nucleus(row, p):
    values, indices = torch.sort(row, descending=True)
    total = torch.cumsum(values, 0)
    # first position where total reaches p
    reached = torch.nonzero(total >= p)
    if len(reached) > 0:
        last = reached[0].item()
    else:
        last = len(row) - 1
    return indices[: last + 1]

def top_p_probs(logits, p, temperature=1.0):
    if logits.dim() == 1:
        return top_p_probs(logits.unsqueeze(0), p, temperature).squeeze(0)
    out = torch.zeros(logits.shape, dtype=torch.float32)
    for i in range(logits.size(0)):
        probs = torch.softmax(logits[i].to(torch.float32) / temperature, dim=0)
        keep = nucleus(probs, p)
        out[i][keep] = probs[keep] / probs[keep].sum()
    return out.to(logits.dtype)
