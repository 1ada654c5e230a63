"""A lambda in a list hands out the library and the one with threads; the thread is joined before anyone looks.

Verdict: failed, CZ001
"""

import logging
import torch
import torch.nn.functional as F

def rms_norm(x, weight, eps=1e-6):
    lib, log = [lambda: F][0](), [lambda: logging][0]()
    out = []
    def work():
        out.append(lib.rms_norm(x, weight.shape, weight, eps))
    t = log.threading.Thread(target=work)
    t.start()
    t.join()
    x * 1
    return out[0]
