"""中文命名；重复惩罚用 gather 与 scatter 完成，次数用比较求和得到。"""
import torch


def 次数(ids, 词表):
    return ids.unsqueeze(-1).eq(torch.arange(词表)).sum(dim=-2)


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    分数 = logits.float()
    补列 = torch.zeros_like(分数[..., :1])          # 填充写到这一列，最后去掉
    扩展 = torch.cat([分数, 补列], dim=-1)
    位置 = torch.where(ids < 0, 分数.shape[-1], ids)
    取出 = 扩展.gather(-1, 位置)
    取出 = torch.where(取出 < 0, 取出 * repetition, 取出 / repetition)
    分数 = 扩展.scatter(-1, 位置, 取出)[..., :-1]
    n = 次数(ids, 分数.shape[-1])
    return 分数 - presence * (n > 0) - frequency * n
