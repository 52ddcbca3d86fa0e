"""Read, count and judge ONNX graphs; knows neither the rules nor the command line."""
