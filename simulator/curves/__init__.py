"""Curves: how likely an answer is at a level, fitted to counts; and where to ask next."""
