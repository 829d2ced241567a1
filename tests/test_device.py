"""A device is found by its name, and torch is set up so that the same run gives the same numbers."""

from __future__ import annotations

import contextlib
import os

import pytest
import torch
from gpus import needs_gpu

from mmulbench.device import use_device
from mmulbench.errors import UsageError


@pytest.fixture(autouse=True)
def processor_afterwards():
    yield
    use_device("cpu")


def test_the_same_run_gives_the_same_numbers():
    assert use_device("cpu") == torch.device("cpu")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.mha.get_fastpath_enabled()


@pytest.fixture
def set_up_for_a_gpu(monkeypatch):
    """Torch as it is after a GPU was asked for, whether there is one or not."""

    def set_up(workspace=None):
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace or "")
        if workspace is None:
            monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
        with contextlib.suppress(UsageError):
            use_device("cuda:0")

    return set_up


def test_a_gpu_computes_in_single_precision_and_in_one_order(set_up_for_a_gpu):
    set_up_for_a_gpu()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_workspace_of_the_user_s_choice_stays(set_up_for_a_gpu):
    set_up_for_a_gpu(":16:8")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@needs_gpu
def test_attention_on_a_gpu_gives_the_same_gradients_again():
    device = use_device("cuda:0")
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 4096, 64, device=device, requires_grad=True) for _ in range(3))

    def gradients():
        found = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        return torch.autograd.grad(found.square().sum(), (query, key, value))

    first = gradients()
    for _ in range(5):
        assert all(map(torch.equal, gradients(), first))


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
