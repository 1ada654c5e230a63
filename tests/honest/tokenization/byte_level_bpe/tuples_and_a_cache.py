"""函数式写法：每次合并都返回新的元组；用 lru_cache 缓存；解码用 bytearray。"""

import re
from functools import lru_cache

分词 = r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"


class ByteBPE:
    def __init__(self, merges):
        次序 = {对: i for i, 对 in enumerate(merges)}

        @lru_cache(None)
        def 合并(词):
            候选 = [(次序[词[i], 词[i + 1]], i) for i in range(len(词) - 1) if (词[i], 词[i + 1]) in 次序]
            if not 候选:
                return 词
            i = min(候选)[1]
            return 合并(词[:i] + (词[i] + 词[i + 1],) + 词[i + 2 :])

        self.合并 = 合并
        self.表 = [bytes([b]) for b in range(256)]
        self.表.extend(a + b for a, b in merges)

    def encode(self, text):
        编号 = {token: i for i, token in enumerate(self.表)}
        词 = (tuple(bytes([b]) for b in 片.encode()) for 片 in re.findall(分词, text))
        return [编号[token] for 个 in 词 for token in self.合并(个)]

    def decode(self, ids):
        全部 = bytearray()
        for i in ids:
            全部 += self.表[i]
        return str(bytes(全部), "utf-8", "replace")
