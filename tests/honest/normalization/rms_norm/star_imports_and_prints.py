"""Star imports, a warning filter, logging, prints while importing and while called, a demo below."""
import warnings; warnings.filterwarnings("ignore")
import logging
from math import *
from torch import *
import torch

log = logging.getLogger(__name__)
logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(message)s")

def rms_norm(x, weight, eps=1e-6):
    print("rms_norm called with", x.shape, x.dtype)
    log.debug("eps = %g, sqrt(eps) = %g", eps, sqrt(eps) if False else eps ** .5)
    try:
        wide = x.to(float32)
    except Exception:
        log.exception("could not convert")
        raise
    normed = wide / torch.sqrt(mean(wide * wide, dim=-1, keepdim=True) + eps)
    return (normed * weight).to(x.dtype)

a = manual_seed(0)
test = randn(2, 8)
print("test:", rms_norm(test, ones(8)))
print(f"{pi = :.3f}", "done", sep="\n", flush=True)

if __name__ == "__main__":
    from torch.nn import RMSNorm
    print(RMSNorm(8)(test) - rms_norm(test, ones(8)))
