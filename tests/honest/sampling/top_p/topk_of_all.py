"""topk of the whole vocabulary; how many stay by counting; the answer filled by advanced indexing, divided last."""

import torch


def top_p_probs(logits: torch.Tensor, p: float, temperature: float = 1.0) -> torch.Tensor:
    batch = logits[None] if logits.ndim == 1 else logits
    vocab = batch.shape[1]
    values, places = torch.topk(torch.softmax(batch.float().div(temperature), 1), vocab)
    count = (values.cumsum(1).sub(values) < p).sum(1)  # at least one: nothing stands before the first
    stays = torch.arange(vocab) < count[:, None]
    answer = torch.zeros(batch.shape)
    rows = torch.arange(len(batch))[:, None].expand_as(places)
    answer[rows[stays], places[stays]] = values[stays]
    answer /= answer.sum(1, keepdim=True)
    return answer.reshape(logits.shape).type(logits.dtype)
