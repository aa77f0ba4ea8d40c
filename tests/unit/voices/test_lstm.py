"""The speaker encoder's network in numpy, beside torch's."""

from __future__ import annotations

import numpy as np
import pytest

from dubbing.voices.lstm import Lstm


@pytest.mark.parametrize("count", [1, 5])
def test_the_network_is_that_of_torch(count: int) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    theirs = torch.nn.LSTM(7, 12, num_layers=3, batch_first=True)
    sequences = torch.randn(count, 9, 7) * 3
    with torch.inference_mode():
        _, (states, _) = theirs(sequences)
    weights = {name: part.detach().numpy() for name, part in theirs.state_dict().items()}
    ours = Lstm(weights, 3)(sequences.numpy())
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, states[-1].numpy(), atol=1e-6)
