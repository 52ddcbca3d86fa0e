"""Time models with onnxruntime, always in a child process, and tell what the times are worth."""
