"""Times of models on a machine that was measured once: predicted, never called measured."""
