"""Exports: SavedModel, frozen graph, TFLite, ONNX, transformers and back; parity with the source."""
