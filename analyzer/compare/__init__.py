"""Models against themselves as they were: architectures, what is recognised, what has changed."""
