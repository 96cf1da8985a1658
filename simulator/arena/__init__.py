"""The arena: two answers to the same input, side by side and blind; who wins how often, and what ratings that makes."""
