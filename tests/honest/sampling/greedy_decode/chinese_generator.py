"""生成器逐个产生 token，islice 限制个数。"""
from itertools import islice

import torch


def 续写(模型, 文本, 结束):
    while True:
        下一个 = 模型(torch.tensor([文本]))[0, -1].argmax().item()
        yield 下一个
        if 下一个 == 结束:
            return
        文本 = [*文本, 下一个]


def greedy_decode(model, ids, max_new, eos):
    return list(islice(续写(model, ids.tolist(), eos), max_new))
