"""Run the command line as `python -m compute_optimizer`."""

from compute_optimizer.cli import main

main()
