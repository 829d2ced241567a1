"""Gradients of single pairs, computed plainly, to compare methods' faster ways with."""

from __future__ import annotations

import torch
from toys import whole


def classes_gradients(problem, data):
    """(n, 3, 2) by hand: cross-entropy's gradient for the last layer is (p - y) f^T."""
    model, batch = problem.original, whole(data)
    fused = model.fuse(*model.encode_batch(batch))
    errors = model.head(fused).softmax(1) - torch.nn.functional.one_hot(batch.targets.labels, 3)
    return errors[:, :, None] * fused[:, None, :]


def single_gradients(problem, data):
    """(n, p) by autograd on the model's own loss of one pair at a time."""
    model = problem.copy_of_original().requires_grad_(True)
    rows = []
    for i in range(len(data.split)):
        model.zero_grad()
        model(data.batch(torch.tensor([i]).numpy())).loss.backward()
        rows.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    return torch.stack(rows)


def dense(rows, damping, vector):
    matrix = rows.T @ rows / len(rows) + damping * torch.eye(rows.shape[1], dtype=rows.dtype)
    return torch.linalg.inv(matrix) @ vector
