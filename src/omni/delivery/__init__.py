"""From green to running: build, SBOM, signature, provenance, deployment, the package and its report."""
