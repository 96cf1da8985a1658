"""Sampling: one uniform number per token, a generator per slot."""

import numpy as np
import pytest

from agents.duplex.sampling import SlotUniforms, pick

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytestmark = pytest.mark.torch


def test_tokens_come_with_their_probabilities() -> None:
    """Over a fine grid of numbers each of the best k is drawn as often as its share, no other ever is."""
    logits = torch.log(torch.tensor([0.1, 0.4, 0.05, 0.3, 0.15]))
    grid = (torch.arange(10_000) + 0.5) / 10_000
    drawn = pick(logits.expand(10_000, -1), grid, 1.0, 3)
    shares = np.bincount(drawn.numpy(), minlength=5) / 10_000
    assert np.allclose(shares, np.array([0, 0.4, 0, 0.3, 0.15]) / 0.85, atol=1e-3)


def test_temperature_zero_and_the_smallest_number_take_the_best() -> None:
    """Greedy is the argmax; tokens are ranked, so the number 0 is the most likely one at any temperature."""
    logits = torch.tensor([[0.0, 3.0, 1.0]])
    for temperature in (0.0, 0.5, 2.0):
        assert pick(logits, torch.zeros(1), temperature, 3).item() == 1


def test_the_largest_number_stays_within_the_best_k() -> None:
    """A number just below 1 takes the last of the best k, never one beyond."""
    logits = torch.randn(1, 50, generator=torch.Generator().manual_seed(1))
    token = pick(logits, torch.tensor([1 - 2**-24]), 1.0, 10)
    assert token.item() == logits[0].topk(10).indices[-1].item()


def test_numbers_drawn_ahead_are_those_of_a_generator_asked_step_by_step() -> None:
    """Over several refills, with steps left out in between, a slot gets its generator's numbers in their order."""
    uniforms, generator = SlotUniforms(3, 9, "cpu"), np.random.default_rng(5)
    uniforms.open(2, 5)
    uniforms.open(0, 6)
    for step in range(200):
        uniforms.draw(np.array([True, False, False]))
        uniforms.draw(np.array([step % 3 == 0, True, True]))
        assert np.array_equal(uniforms.values[2].numpy(), generator.random(9, dtype=np.float32))


@pytest.mark.parametrize("batch", [1, 8, 32])
def test_a_row_draws_the_same_in_any_batch(batch: int) -> None:
    """Same logits, same number: the same token in any row of a batch of any size."""
    logits = torch.randn(200, 500, generator=torch.Generator().manual_seed(2))
    numbers = torch.rand(200, generator=torch.Generator().manual_seed(3))
    alone = torch.cat([pick(logits[i : i + 1], numbers[i : i + 1], 0.8, 250) for i in range(200)])
    together = torch.cat([pick(logits[i : i + batch], numbers[i : i + batch], 0.8, 250) for i in range(0, 200, batch)])
    assert torch.equal(alone, together)


def test_a_slots_numbers_depend_on_its_seed_and_its_own_steps_only() -> None:
    """Neighbours, other slots and steps that pass it by leave no trace; reopening begins again."""
    one, other = SlotUniforms(2, 9, "cpu"), SlotUniforms(4, 9, "cpu")
    one.open(0, 7)
    other.open(3, 7)
    other.open(1, 8)
    rows = []
    for active in ([True, False], [True, False], [False, True], [True, False]):
        one.draw(np.array(active))
        if active[0]:
            rows.append(one.values[0].clone())
    for row in rows:
        other.draw(np.array([False, True, False, True]))
        assert torch.equal(other.values[3], row)
        assert not torch.equal(other.values[1], row)
    one.open(0, 7)
    one.draw(np.array([True, False]))
    assert torch.equal(one.values[0], rows[0])
