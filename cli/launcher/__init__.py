"""Runs the real processes of the platform on one machine: `chaupal up`."""
