"""Pictures of where the cost of a model is."""
