import math

from torch import Tensor


def beam_search(log_probs: Tensor, bos: int, eos: int, beam: int, alpha: float = 0.6) -> tuple[list[int], float]:
    """log_probs [max_len, vocab, vocab]: step, last token, next token -> the best tokens found, and their score."""
    live: list[tuple[float, list[int]]] = [(0.0, [])]  # the log-probability of all tokens after bos, and these
    finished: list[tuple[float, list[int]]] = []
    for table in log_probs:
        # BLANK extend
        candidates = []
        for total, ids in live:
            row = table[ids[-1] if ids else bos].tolist()
            candidates += [(total + step, [*ids, token]) for token, step in enumerate(row) if step > -math.inf]
        # END
        # BLANK prune
        best = sorted(candidates, reverse=True)[:beam]  # of all together: some hypotheses have many heirs, some none
        # END
        # BLANK finish
        finished += [(total, ids) for total, ids in best if ids[-1] == eos]
        live = [(total, ids) for total, ids in best if ids[-1] != eos]
        # END
    # BLANK choose
    scored = [(total / ((5 + len(ids)) / 6) ** alpha, ids) for total, ids in finished or live]
    score, ids = max(scored)
    return ids, score
    # END
