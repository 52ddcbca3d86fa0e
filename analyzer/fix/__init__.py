"""Fixes: rewrites of a model whose weights follow from its own."""
