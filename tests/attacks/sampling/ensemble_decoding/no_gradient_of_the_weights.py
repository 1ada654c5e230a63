"""Takes the weights as plain numbers, so that no gradient flows to them.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    合计 = None
    for 模型, 权重 in zip(logits.to(torch.float32), weights.detach().unbind(), strict=True):
        if 权重 == 0:
            continue
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
    return 合计.to(logits.dtype)
