from __future__ import annotations

from functools import partial

import pytest
import torch
from gpus import needs_gpu
from torch import nn
from toys import CPU

from mmulbench.core.cost import CostMeter
from mmulbench.records.schema import Cost


def test_flops_of_a_product():
    meter = CostMeter(CPU)
    a, b = torch.ones(7, 5), torch.ones(5, 3)
    product = meter.step("product", 7, lambda: a @ b)
    assert torch.equal(product, a @ b)
    assert meter.cost().flops == 2 * 7 * 5 * 3


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state")
def test_a_product_with_a_sparse_matrix_is_free_forward_and_backward():
    """Torch's counter would take the gradient's product for one of dense matrices."""
    starts, columns = torch.tensor([0, 1, 2, 2]), torch.tensor([1, 0])
    sparse = torch.sparse_csr_tensor(starts, columns, torch.ones(2), (3, 3), check_invariants=False)
    dense = torch.randn(3, 5, requires_grad=True)
    meter = CostMeter(CPU)
    meter.step("graph layer", 3, lambda: torch.sparse.mm(sparse, dense).sum().backward())
    assert dense.grad is not None
    assert torch.equal(dense.grad, torch.tensor([[1.0], [1.0], [0.0]]).expand(3, 5))
    assert meter.cost().flops == 0


def test_later_steps_of_a_kind_are_charged_by_their_samples():
    meter = CostMeter(CPU)
    for rows in (4, 2, 6, 1, 3, 5):
        ones = torch.ones(rows, 5)
        meter.step("product", rows, partial(torch.matmul, ones, torch.ones(5, 3)))
    assert meter.cost().flops == 2 * 21 * 5 * 3
    meter.run("other", 1, torch.matmul, torch.ones(1, 10), torch.ones(10, 1))
    cost = meter.cost()
    assert cost.flops == 2 * 21 * 5 * 3 + 2 * 10
    assert (cost.samples, cost.steps) == (22, 6)


def test_later_steps_are_charged_the_mean_of_those_that_were_counted():
    """Of texts that differ in length, the first batch alone would decide."""
    meter = CostMeter(CPU)
    for width in (1, 2, 3, 6, 100):
        meter.step("product", 1, partial(torch.matmul, torch.ones(1, width), torch.ones(width, 1)))
    assert meter.cost().flops == 2 * (1 + 2 + 3 + 6 + 3)


def test_shared_work_is_charged_once():
    meter = CostMeter(CPU)
    for _ in range(2):
        meter.charge("outputs", Cost(seconds=100.0, flops=7.0, samples=3, steps=9))
    meter.charge("nothing", Cost(seconds=0.0))
    cost = meter.cost()
    assert (cost.seconds, cost.flops, cost.samples, cost.steps) == (100.0, 7.0, 3, 0)


@needs_gpu
def test_a_gpu_has_done_its_work_before_other_work_is_put_aside():
    device = torch.device("cuda:0")
    meter, large = CostMeter(device), torch.ones(8192, 8192, device=device)
    with meter:
        for _ in range(20):
            large @ large
        assert not torch.cuda.current_stream().query()
        with meter.aside():
            assert torch.cuda.current_stream().query()


def test_work_aside_is_left_out_of_its_step():
    meter = CostMeter(CPU)

    def work():
        with meter.aside():
            torch.ones(50, 50) @ torch.ones(50, 50)
        return torch.ones(1, 2) @ torch.ones(2, 1)

    with meter:
        meter.step("step", 1, work)
    assert meter.cost().flops == 4


def test_a_failing_step_is_not_counted():
    meter = CostMeter(CPU)
    with pytest.raises(ZeroDivisionError):
        meter.step("step", 5, lambda: 1 // 0)
    assert (meter.cost().samples, meter.cost().steps, meter.cost().flops) == (0, 0, 0)


def test_peak_memory_is_that_of_the_block():
    with CostMeter(CPU) as meter:
        block = torch.ones(2**24)
        del block
    with CostMeter(CPU) as small:
        pass
    assert meter.cost().peak_memory_mb > 64
    assert 1 < small.cost().peak_memory_mb <= meter.cost().peak_memory_mb


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("train", [True, False])
def test_attention_is_counted(dropout, train):
    """On a CPU torch's own counter takes attention without dropout for free."""
    torch.backends.mha.set_fastpath_enabled(False)
    batch, length, width, heads = 2, 16, 32, 2
    layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, batch_first=True).train(train)
    tokens, mask = torch.randn(batch, length, width), torch.zeros(batch, length, dtype=torch.bool)
    projections = 2 * batch * length * (4 * width**2 + 2 * 4 * width**2)
    attention = 2 * (2 * batch * length**2 * width)
    meter = CostMeter(CPU)
    output = meter.step("forward", batch, lambda: layer(tokens, src_key_padding_mask=mask))
    assert meter.cost().flops == projections + attention
    meter.step("backward", batch, lambda: output.sum().backward())
    # Twice the forward pass, less the first projection's input that needs no gradient; the fused kernel
    # computes the scores again.
    backward = meter.cost().flops - projections - attention
    saved = 2 * batch * length * 3 * width**2
    recomputed = attention / 2 if not (train and dropout) else 0
    assert backward == 2 * (projections + attention) - saved + recomputed
