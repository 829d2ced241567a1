from __future__ import annotations

import numpy as np
import pytest
import torch

from mmulbench.seeds import derive, generator, torch_seeded


def test_pinned_so_that_records_can_be_made_again():
    assert derive(42, "forget") == 5302506235550869362


def test_every_seed_and_name_has_its_own_stream():
    names = [(), ("a",), ("b",), ("a", "b"), ("b", "a")]
    seeds = [derive(seed, *parts) for seed in (0, 1, 10, 42) for parts in names]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_start_over():
    assert np.array_equal(generator(1, "x").random(5), generator(1, "x").random(5))
    assert not np.array_equal(generator(1, "x").random(5), generator(1, "y").random(5))


def test_a_seeded_block_depends_on_its_name_alone_and_is_undone():
    draws = []
    for before in (1, 2):
        torch.manual_seed(before)
        with torch_seeded(7, "block"):
            draws.append(torch.rand(3))
    assert torch.equal(*draws)
    after = torch.rand(3)
    torch.manual_seed(2)
    assert torch.equal(torch.rand(3), after)


def test_the_state_comes_back_after_an_error():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with pytest.raises(KeyError), torch_seeded(7, "block"):
        torch.rand(9)
        raise KeyError
    assert torch.equal(torch.rand(2), expected)
