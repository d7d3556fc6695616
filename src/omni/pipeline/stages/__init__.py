"""The stages, one file each; their order is the tuple in `omni.pipeline.flow`."""
