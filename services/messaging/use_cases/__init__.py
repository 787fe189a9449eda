"""What can be done with broadcasts: one verb, one function or small class."""
