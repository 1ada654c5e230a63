"""Generation loop

Continue a batch of texts with a language model that reads each token once:

model.new_cache()         an empty cache
model(ids, mask, cache)   ids int64 [b, n]: the next n tokens of each text, which the cache
                          takes in. mask bool [b, total]: which of all tokens so far, these
                          included, are real  ->  logits float32 [b, n, vocab] after each

Call it once with the prompts, which are padded on the left, then once with each new token
but the last: as many calls as new tokens. In step s the logits after the last token of
each text become its next token, in this order:

1. scores: the logits divided by the temperature
2. the top_k largest scores stay, the others become -inf; 0, or vocab and more: all stay
3. probs = softmax(scores); of the most probable tokens stay the fewest whose probs add up
   to at least top_p; divided by their sum
4. the first token, in the order of the vocabulary, up to which probs add up to more than
   uniforms[:, s], the uniform number of its text

A text is finished by a new token of `stop`, which stays in it; from then on it gets `pad`.
End when all texts are finished, or have uniforms.shape[1] new tokens.

ids       int64 [b, t]; where mask is False, anything may stand. They may hold stop tokens.
mask      bool [b, t]: False is padding, on the left of each text
uniforms  float32 [b, max_new], in [0, 1); max_new >= 1
stop      list of int, 1 or more; pad an int, not in it
options   temperature > 0, top_k >= 0, 0 < top_p <= 1
result    int64 [b, t + n]: ids and n new tokens, which stop tokens may keep below max_new

No two scores are equal, and no choice is so close that rounding could turn it.

Source: Holtzman et al. 2020, arXiv:1904.09751, §3; the order of the steps: Hugging Face transformers, generate
"""

import math

import torch
from torch import Tensor


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """scores [b, vocab] -> the k largest of each row, -inf in all other places; 0 keeps all."""
    return scores.masked_fill(scores < scores.topk(k).values[:, -1:], -math.inf) if 0 < k < scores.shape[-1] else scores


def keep_top_p(scores: Tensor, p: float) -> Tensor:
    """scores [b, vocab] -> of each row the fewest tokens whose probabilities reach p, -inf in all other places."""
    ranked, order = scores.softmax(dim=-1).sort(dim=-1, descending=True)
    drop = ranked.cumsum(dim=-1) - ranked >= p  # those ranked above are enough
    return scores.masked_fill(drop.scatter(-1, order, drop), -math.inf)


def generate(
    model, ids: Tensor, mask: Tensor, uniforms: Tensor, stop: list[int], pad: int,
    temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0,
) -> Tensor:  # fmt: skip
    """ids int64 and mask bool [b, t], padded on the left, uniforms [b, max_new] -> int64 [b, t + n], n <= max_new."""
    # TODO (2 lines): read the prompts into a new `cache`; `logits`, [b, vocab]: after the last token of each
    raise NotImplementedError("prefill")
    finished = torch.zeros_like(mask[:, 0])
    for step in range(uniforms.shape[1]):
        # TODO (2 lines): `probs`, [b, vocab], in the order of the vocabulary: steps 1 to 3
        raise NotImplementedError("filter")
        # TODO (1 line): `token`, int64 [b]: drawn by this step's uniforms
        raise NotImplementedError("draw")
        # TODO (2 lines): `token`: pad where a text was finished before; `finished`: which texts are so now
        raise NotImplementedError("finish")
        ids = torch.cat([ids, token[:, None]], dim=1)
        # TODO (4 lines): return `ids` at the end; else the next `logits`, of one call, and a longer `mask`
        raise NotImplementedError("advance")
    return ids
