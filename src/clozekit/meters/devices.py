"""The GPUs that a prediction is made for, by what their makers say of them. No torch here.

    DEVICES["A100"]     Device("A100-SXM4-80GB", "sm_80", multiprocessors=108, clock=1.41e9, bandwidth=2.039e12, ...)

Tensor-core peaks are dense, with float32 sums. Compile facts of one target stand for the devices of its family: sm_80 for
sm_86 and sm_89, which have its instructions and its registers, but fewer warps. Triton compiles nothing older than sm_80.
"""

from msgspec import Struct

from clozekit.meters.assembling import Facts, resident
from clozekit.meters.costs import Target

WARP = 32


class Device(Struct, frozen=True):
    """Bytes, hertz, FLOPs and bytes per second.

    l2_partitions: each caches what its own multiprocessors read, so that what all of them read takes room in each (A100 white
    paper, "L2 cache"; the later data-centre chips are built alike). l2_bandwidth: what published micro-benchmarks reach; the
    makers do not say. shared_bytes, warps, blocks: of one
    multiprocessor. special: exp, log and their like per clock and multiprocessor (CUDA C++ Programming Guide, arithmetic
    throughput). tensor: peaks by "half" (float16, bfloat16), "tf32", "fp8", "int8". sustained: the share of such a peak that the
    best matrix products really reach, heat and power being what they are.
    """

    name: str
    target: Target | None
    multiprocessors: int
    clock: float
    bandwidth: float
    l2_bytes: int
    l2_bandwidth: float
    shared_bytes: int
    fp32: float
    tensor: dict[str, float]
    sustained: float
    warps: int = 64
    blocks: int = 32
    special: int = 16
    l2_partitions: int = 1

    @property
    def l2_reach(self) -> float:
        """Bytes that can go through the L2 cache before what was there is gone."""
        return self.l2_bytes / self.l2_partitions

    def resident(self, facts: Facts, num_warps: int) -> int:
        """Blocks that run on one multiprocessor at a time; at least one, or the kernel would not run at all."""
        fit = resident(facts.registers, facts.shared_bytes, num_warps, self.shared_bytes, self.warps, self.blocks)
        return max(1, fit)


# sustained: stas00/ml-engineering, "Maximum Achievable Matmul FLOPS": A100 SXM 271.2 of 312, H100 SXM 794.5 of 989. Ada:
# LeetCUDA's hgemm on an L20, 95 % of the peak. The others: .7, a guess made before any measurement was looked at.
DEVICES = {
    # NVIDIA A100 data sheet; A100 white paper, table 5
    "A100": Device(
        "A100-SXM4-80GB",
        target="sm_80",
        multiprocessors=108,
        clock=1.41e9,
        bandwidth=2.039e12,
        l2_bytes=40 << 20,
        l2_bandwidth=5.0e12,
        shared_bytes=164 << 10,
        fp32=19.5e12,
        tensor={"half": 312e12, "tf32": 156e12, "int8": 624e12},
        sustained=0.87,
        l2_partitions=2,
    ),
    # NVIDIA H100 white paper, tables 2 and 3; the clock is the one at which the tensor-core peak is stated
    "H100": Device(
        "H100-SXM5-80GB",
        target="sm_90",
        multiprocessors=132,
        clock=1.83e9,
        bandwidth=3.35e12,
        l2_bytes=50 << 20,
        l2_bandwidth=7.5e12,
        shared_bytes=228 << 10,
        fp32=66.9e12,
        tensor={"half": 989.4e12, "tf32": 494.7e12, "fp8": 1978.9e12, "int8": 1978.9e12},
        sustained=0.80,
        l2_partitions=2,
    ),
    "H100 PCIe": Device(
        "H100-PCIe-80GB",
        target="sm_90",
        multiprocessors=114,
        clock=1.62e9,
        bandwidth=2.039e12,
        l2_bytes=50 << 20,
        l2_bandwidth=5.5e12,
        shared_bytes=228 << 10,
        fp32=51.2e12,
        tensor={"half": 756e12, "tf32": 378e12, "fp8": 1513e12, "int8": 1513e12},
        sustained=0.70,
        l2_partitions=2,
    ),
    # NVIDIA Ada GPU architecture white paper, appendix A; NVIDIA L4 data sheet
    "RTX 4090": Device(
        "GeForce RTX 4090",
        target="sm_80",
        multiprocessors=128,
        clock=2.52e9,
        bandwidth=1.008e12,
        l2_bytes=72 << 20,
        l2_bandwidth=5.0e12,
        shared_bytes=100 << 10,
        fp32=82.6e12,
        tensor={"half": 165.2e12, "tf32": 82.6e12, "fp8": 330.3e12, "int8": 660.6e12},
        sustained=0.95,
        warps=48,
        blocks=24,
    ),
    "L4": Device(
        "L4",
        target="sm_80",
        multiprocessors=58,
        clock=2.04e9,
        bandwidth=300e9,
        l2_bytes=48 << 20,
        l2_bandwidth=1.8e12,
        shared_bytes=100 << 10,
        fp32=30.3e12,
        tensor={"half": 121e12, "tf32": 60e12, "fp8": 242e12, "int8": 242e12},
        sustained=0.70,  # 72 W
        warps=48,
        blocks=24,
    ),
    # NVIDIA Ampere GA102 white paper, appendix A
    "RTX 3090": Device(
        "GeForce RTX 3090",
        target="sm_80",
        multiprocessors=82,
        clock=1.695e9,
        bandwidth=936e9,
        l2_bytes=6 << 20,
        l2_bandwidth=2.5e12,
        shared_bytes=100 << 10,
        fp32=35.6e12,
        tensor={"half": 71e12, "tf32": 35.6e12, "int8": 284e12},
        sustained=0.95,
        warps=48,
        blocks=16,
    ),
    # NVIDIA Turing white paper, appendix C; T4 data sheet
    "T4": Device(
        "T4",
        target=None,
        multiprocessors=40,
        clock=1.59e9,
        bandwidth=320e9,
        l2_bytes=4 << 20,
        l2_bandwidth=1.2e12,
        shared_bytes=64 << 10,
        fp32=8.1e12,
        tensor={"half": 65e12, "int8": 130e12},
        sustained=0.70,  # 70 W
        warps=32,
        blocks=16,
    ),
    # NVIDIA Blackwell architecture technical brief; HGX B200 data sheet
    "B200": Device(
        "B200",
        target="sm_100",
        multiprocessors=148,
        clock=1.85e9,
        bandwidth=8.0e12,
        l2_bytes=126 << 20,
        l2_bandwidth=12.0e12,
        shared_bytes=228 << 10,
        fp32=75e12,
        tensor={"half": 2250e12, "tf32": 1125e12, "fp8": 4500e12, "int8": 4500e12},
        sustained=0.70,
        l2_partitions=2,
    ),
}
