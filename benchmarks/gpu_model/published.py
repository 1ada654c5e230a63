"""What the Liger-Kernel project published: one row for each operation, size, implementation and GPU. No torch here.

read()      [Row(kernel="rms_norm", provider="liger", mode="forward", size=4096, config={"M": 2048, ...}, device="A100", ...)]
"""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).with_name("data")
TIMES = DATA / "liger_gpu_times.csv"
GPUS = {
    "NVIDIA A100-SXM4-80GB": "A100",
    "NVIDIA B200": "B200",
    "NVIDIA GeForce RTX 3090": "RTX 3090",
    "NVIDIA GeForce RTX 4090": "RTX 4090",
    "NVIDIA H100 80GB HBM3": "H100",
    "NVIDIA H100 PCIe": "H100 PCIe",
}
# torch.compile and TorchScript fuse what nobody has counted; so do Liger's chunked losses
COMPILED = {
    ("embedding", "torch_compile"),
    ("distill_cosine_loss", "liger"),
    ("kto_loss", "liger"),
    ("megatron_cross_entropy", "megatron-fused"),
    ("megatron_swiglu", "megatron"),
}


class Row(NamedTuple):
    """One measured time, in seconds."""

    kernel: str
    provider: str
    mode: str
    size: int
    config: dict[str, Any]
    device: str
    version: str
    seconds: float

    @property
    def key(self) -> str:
        """What is run, on paper for this device."""
        text = json.dumps(self.config, sort_keys=True)
        return f"{self.kernel} {self.provider} {self.mode} {self.size} {text} {self.device} {self.version}"

    @property
    def is_kernel(self) -> bool:
        """Whether Liger's kernels are at work, and not what they are compared with."""
        return self.provider.startswith("liger")


def read(path: Path = TIMES) -> list[Row]:
    """All speeds that can be modelled."""
    with path.open(encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["metric_name"] == "speed"]
    rows = [_row(line) for line in lines]
    return [row for row in rows if (row.kernel, row.provider) not in COMPILED]


def _row(line: dict[str, str]) -> Row:
    return Row(
        line["kernel_name"],
        line["kernel_provider"],
        line["kernel_operation_mode"],
        int(line["x_value"]),
        json.loads(line["extra_benchmark_config_str"]),
        GPUS[line["gpu_name"]],
        line["liger_version"],
        float(line["y_value_50"]) / 1e3,
    )
