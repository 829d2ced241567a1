"""Give Slurm's commands an environment in which the job around them, if there is one, has left nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

FINDS_THE_CLUSTER = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"})
"""Variables without which Slurm's commands do not reach the cluster."""

ON_WHOSE_ACCOUNT = frozenset(
    {"SBATCH_ACCOUNT", "SBATCH_PARTITION", "SBATCH_QOS", "SBATCH_RESERVATION", "SBATCH_WCKEY"}
)
"""A user's defaults of where jobs run and who pays; a sweep's own options take their place."""

OF_SLURM = (
    *("SLURM_", "SLURMD_", "SBATCH_", "SALLOC_", "SRUN_"),
    *("SQUEUE_", "SACCT_", "SCANCEL_", "SUBMITIT_"),
)
"""First letters of variables that jobs are given, or that would change what a command does or answers."""

OF_AN_ALLOCATION = frozenset(
    {
        *("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"),
        *("ZE_AFFINITY_MASK", "MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK"),
        "LOCAL_WORLD_SIZE",
    }
)
"""Variables that say what a job's own processes have, which other jobs do not."""

OF_STEPS = (
    *("MMULBENCH_", "PYTHON", "HF_", "TRANSFORMERS_", "TOKENIZERS_", "TORCH", "PYTORCH_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NVPL_", "ATEN_", "ONEDNN_", "DNNL_", "CUBLAS_"),
)
"""First letters of variables that steps and their libraries read; some of them decide the last digits."""

ALSO_OF_STEPS = frozenset(
    {
        *("XDG_CACHE_HOME", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }
)
"""More variables that steps or their libraries read."""


def clean_environment() -> dict[str, str]:
    """Return this process's environment as it would be outside of any Slurm job."""
    is_inside = "SLURM_JOB_ID" in os.environ
    kept = FINDS_THE_CLUSTER | ON_WHOSE_ACCOUNT
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not (name.startswith(OF_SLURM) or (is_inside and name in OF_AN_ALLOCATION))
    }


def export_setting(options: Mapping[str, str]) -> str | None:
    """Return what of the environment a job is to have, as for ``sbatch --export``; None where nobody says.

    Args:
        options: options as ``sbatch`` names them, which take the place of ``SBATCH_EXPORT``.
    """
    return options.get("export") or os.environ.get("SBATCH_EXPORT") or None


def export_lines(setting: str | None) -> list[str]:
    """Return shell lines that give a job the variables which steps read, where Slurm does not.

    A variable that may hold a secret is left out, since the lines are stored in the sweep's folder.

    Args:
        setting: what of the environment the job has, as for ``sbatch --export``.
    """
    if setting is None or "ALL" in setting.upper().split(","):
        return []
    needed = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(OF_STEPS) or name in ALSO_OF_STEPS) and "TOKEN" not in name
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in sorted(needed.items())]
