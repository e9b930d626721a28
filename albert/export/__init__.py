"""Exports: SavedModel, frozen graph, TFLite, ONNX, PyTorch; parity with the source."""
