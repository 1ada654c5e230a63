"""中文命名：直接计算每个 token 与最可能者的概率之比。"""
import torch


def 概率之比(分数):
    分数 = 分数.float()
    return torch.exp(分数 - 分数.max(dim=-1, keepdim=True).values)


def min_p_filter(logits, min_p):
    结果 = logits.clone()
    结果[概率之比(logits) < min_p] = float("-inf")
    return 结果
