"""What checks share: reading Python, manifests and Markdown. Text in, plain data out; no processes."""
