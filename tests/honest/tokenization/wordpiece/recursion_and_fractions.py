"""用分数精确比较；编码用递归，从最长的前缀开始。"""

from collections import Counter
from fractions import Fraction


def best_pair(words):
    单 = Counter(p for 词, 次 in words.items() for p in 词 for _ in range(次))
    双 = Counter(p for 词, 次 in words.items() for p in zip(词, 词[1:]) for _ in range(次))
    if not 双:
        return None
    分 = {(a, b): Fraction(n, 单[a] * 单[b]) for (a, b), n in 双.items()}
    return sorted(分, key=分.__getitem__)[-1]


def 切(词, 前缀, vocab):
    if not 词:
        return []
    for 尾 in range(len(词), 0, -1):
        if 前缀 + 词[:尾] in vocab:
            余 = 切(词[尾:], "##", vocab)
            return None if 余 is None else [前缀 + 词[:尾]] + 余
    return None


def encode(word, vocab, max_chars=100):
    结果 = None if len(word) > max_chars else 切(word, "", vocab)
    return ["[UNK]"] if 结果 is None else 结果
