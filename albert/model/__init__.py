"""The model graph: layers, encoder, configuration, heads, inputs and outputs."""
