"""Beam search

Find a probable text without looking at all of them. The model is a table: after the token
a, the token b comes at step t with log-probability log_probs[t, a, b]; the first step
follows bos. At each step t = 0, 1, …, max_len − 1:

1. Extend each live hypothesis (at first the empty one) by every token. Its total is the
   sum of the log-probabilities of all its tokens. -inf is impossible and never taken.
2. Of all these candidates together keep the `beam` with the largest totals.
3. Those of them that end in eos are finished and set aside; only the others live on, so
   that after this step fewer than `beam` may be live: none is put in the place of a
   finished one. The next step again keeps `beam` candidates.

Search until all steps are done or nothing is live. Let |y| be the number of tokens, eos
included and bos not. The best finished hypothesis is the one with the largest

    score = total / ((5 + |y|) / 6) ** alpha

If none is finished, it is the best of the live ones, by the same score.

log_probs  [max_len, vocab, vocab], float32; each row has a token that is possible
bos, eos   int, different tokens; bos may also come up later, as any token
beam       int, 1 or more; it may be larger than the vocabulary
alpha      float, 0 or more
result     (ids, score): ids a list of int, without bos and with eos where it was
           reached; score a float

No two totals or scores that have to be compared are equal.

Source: Wu et al. 2016, Google's Neural Machine Translation System, arXiv:1609.08144, §7, eq. 14 without coverage
"""

import math

from torch import Tensor


def beam_search(log_probs: Tensor, bos: int, eos: int, beam: int, alpha: float = 0.6) -> tuple[list[int], float]:
    """log_probs [max_len, vocab, vocab]: step, last token, next token -> the best tokens found, and their score."""
    live: list[tuple[float, list[int]]] = [(0.0, [])]  # the log-probability of all tokens after bos, and these
    finished: list[tuple[float, list[int]]] = []
    for table in log_probs:
        # TODO (4 lines): `candidates`: (total, ids) of each live hypothesis with each possible next token
        raise NotImplementedError("extend")
        # TODO (1 line): `best`: the `beam` candidates with the largest totals
        raise NotImplementedError("prune")
        # TODO (2 lines): move those that end in eos to `finished`; `live`: the others
        raise NotImplementedError("finish")
    # TODO (3 lines): return ids and score of the best hypothesis
    raise NotImplementedError("choose")
