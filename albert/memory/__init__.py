"""Memory of a training step: buffers and measurements."""
