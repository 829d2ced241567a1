"""A device is found by its name, and torch is set up so that the same run gives the same numbers."""

from __future__ import annotations

import pytest
import torch

from mmulbench.device import use_device
from mmulbench.errors import UsageError


def test_the_same_run_gives_the_same_numbers():
    assert use_device("cpu") == torch.device("cpu")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.mha.get_fastpath_enabled()


def test_auto_is_the_gpu_where_there_is_one():
    assert use_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "CPU", "", "cuda:x", "cpu:0"])
def test_another_name_is_refused_with_those_there_are(name):
    with pytest.raises(UsageError, match="is unknown; allowed: auto, cpu or cuda:N"):
        use_device(name)


def test_apple_s_gpus_are_refused_with_the_reason():
    with pytest.raises(UsageError, match=r"--device 'mps' cannot be used: .* double precision.*--device cpu"):
        use_device("mps")


def test_a_device_that_the_machine_lacks_is_refused_in_one_line():
    with pytest.raises(
        UsageError, match=r"--device 'cuda:99' cannot be used: .*; choose --device cpu"
    ) as caught:
        use_device("cuda:99")
    assert "\n" not in str(caught.value)
