"""Layers as products of smaller ones: the spectra of their kernels, and the factors."""
