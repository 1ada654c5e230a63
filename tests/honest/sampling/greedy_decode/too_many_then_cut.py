"""Always makes max_new tokens, as a batch does, and cuts what comes after eos."""
import torch


def greedy_decode(model, ids, max_new, eos):
    row = ids.reshape(1, -1)
    for _ in range(max_new):
        probs = model(row)[:, -1, :].softmax(dim=-1)
        row = torch.cat([row, probs.max(dim=-1, keepdim=True).indices], dim=1)
    new = row[0, ids.numel():].tolist()
    return new[: new.index(eos) + 1] if eos in new else new
