"""A long short-term memory (LSTM) in numpy, equivalent to torch's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dubbing.voices.weights import Array


class Lstm:
    """Layers of long short-term memory over sequences of one length."""

    def __init__(self, weights: Mapping[str, Array], layers: int) -> None:
        """Take the weights of torch's ``LSTM``, by the names that torch gives them."""
        self._layers = [_Layer(weights, number) for number in range(layers)]

    def __call__(self, sequences: Array) -> Array:
        """Return the last state of the last layer, ``(n, hidden)``.

        sequences: ``(n, steps, inputs)``.
        """
        states = np.ascontiguousarray(sequences.swapaxes(0, 1))
        for layer in self._layers:
            states = layer.run(states)
        last: Array = states[-1]
        return last


class _Layer:
    """One layer. Its four gates are computed together, side by side."""

    def __init__(self, weights: Mapping[str, Array], number: int) -> None:
        def scaled(name: str) -> Array:
            # sigmoid(x) is (tanh(x / 2) + 1) / 2, so one tanh serves all gates; the third of
            # torch's gates is a tanh itself.
            gates = np.split(weights[f"{name}_l{number}"], 4)
            return np.concatenate([gates[0] / 2, gates[1] / 2, gates[2], gates[3] / 2])

        self._inputs = np.ascontiguousarray(scaled("weight_ih").T)
        self._states = np.ascontiguousarray(scaled("weight_hh").T)
        self._bias = scaled("bias_ih") + scaled("bias_hh")

    def run(self, inputs: Array) -> Array:
        """Return the states after each step, ``(steps, n, hidden)``, of ``(steps, n, inputs)``."""
        steps, count, _ = inputs.shape
        hidden = len(self._states)
        states = np.empty((steps, count, hidden), np.float32)
        state = np.zeros((count, hidden), np.float32)
        memory = np.zeros((count, hidden), np.float32)
        for step in range(steps):
            gates = np.tanh(inputs[step] @ self._inputs + state @ self._states + self._bias)
            write, keep, new, show = np.split(gates, 4, axis=1)
            memory = ((keep + 1) * memory + (write + 1) * new) / 2
            state = states[step]
            np.multiply(show + 1, np.tanh(memory) / 2, out=state)
        return states
