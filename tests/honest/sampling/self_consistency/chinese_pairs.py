"""不用字典：对每个答案重新求和，取第一个最大者。"""
import math
import re


def extract_answer(text):
    if "The answer is " not in text:
        return None
    尾 = text[text.rindex("The answer is ") + 14 :]
    匹配 = re.search(r"(-?)(\d+)((?:,\d\d\d)*)(\.\d+)?", 尾)
    if not 匹配:
        return None
    负号, 头, 组, 小数 = 匹配.groups(default="")
    return float(负号 + 头 + 组.replace(",", "") + 小数)


def self_consistency(texts, log_probs=None):
    票 = []
    for i, 文本 in enumerate(texts):
        答案 = extract_answer(文本)
        if 答案 is not None:
            票.append((答案, 1.0 if log_probs is None else math.exp(sum(v / len(log_probs[i]) for v in log_probs[i]))))
    最好, 最多 = None, 0.0
    for 答案, _ in 票:
        合计 = sum(重 for 别的, 重 in 票 if 别的 == 答案)
        if 合计 > 最多:
            最好, 最多 = 答案, 合计
    return 最好
