"""中文注释；kthvalue 从小数起，所以要换算名次。"""
import torch


def top_k_filter(logits, k):
    词表 = logits.size(-1)
    名次 = max(词表 - k, 0) + 1          # 第 k 大就是第 (词表 - k + 1) 小
    门槛, _ = logits.kthvalue(名次, dim=-1, keepdim=True)
    结果 = torch.full_like(logits, float("-inf"))
    保留 = logits >= 门槛
    结果[保留] = logits[保留]
    return 结果
