"""`python -m omni` is `omni`."""

from omni.cli.main import main

main()
