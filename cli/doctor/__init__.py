"""Examines the machine and a data folder for `chaupal doctor`."""
