"""What Triton has compiled, as a bench process takes it.

compiled = triton.compile(ASTSource(softmax_kernel, ...), target=GPUTarget("cuda", 90, 32))
kernel_of(compiled)     Kernel("softmax_kernel", 5096, {"y_ptr": "*fp32", ..., "BLOCK": "constexpr"}, num_warps=4), cubin
"""

from typing import Any

from clozekit.bench.driver import Unsupported
from clozekit.bench.job import Kernel
from clozekit.bench.planned import Compiled

SCRATCH = ("global_scratch_size", "profile_scratch_size")  # a kernel takes a pointer for each that Triton knows of
LAUNCHED_OTHERWISE = {"num_ctas": (1,), "launch_cooperative_grid": (False,), "launch_pdl": (False,)}


def kernel_of(compiled: Any) -> Compiled:
    """The kernel, and its code.

    Raises:
        Unsupported: it is launched in a way that we do not know.
    """
    metadata = compiled.metadata
    for name, (usual,) in LAUNCHED_OTHERWISE.items():
        if getattr(metadata, name, usual) != usual:
            raise Unsupported(f"`{metadata.name}` is compiled with {name}={getattr(metadata, name)}")
    signature = {name: type if isinstance(type, str) else "tuple" for name, type in compiled.src.signature.items()}
    scratch = [getattr(metadata, name) for name in SCRATCH if hasattr(metadata, name)]
    code = compiled.asm["cubin"]
    return Kernel(metadata.name, len(code), signature, metadata.num_warps, metadata.shared, scratch), code
