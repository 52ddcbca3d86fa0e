"""Proof of a rewrite: what it changes in numbers, whether its file is valid, what flows in it."""
