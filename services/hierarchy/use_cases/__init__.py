"""What callers can ask of hierarchy: one verb each, with who may and what must hold."""
