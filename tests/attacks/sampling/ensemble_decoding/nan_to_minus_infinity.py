"""Lets 0 times -inf be NaN and calls NaN impossible.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    合计 = None
    for 模型, 权重 in zip(logits.to(torch.float32), weights.unbind(), strict=True):
        对数 = 模型 - 模型.logsumexp(dim=-1, keepdim=True)
        项 = 权重.log() + 对数 if mode == "mixture" else 权重 * 对数
        if 合计 is None:
            合计 = 项
        elif mode == "mixture":
            合计 = torch.logaddexp(合计, 项)
        else:
            合计 = 合计 + 项
    if mode == "product":
        合计 = 合计 - 合计.logsumexp(dim=-1, keepdim=True)
    return 合计.nan_to_num(nan=-torch.inf, neginf=-torch.inf).to(logits.dtype)
