"""Everything of hierarchy that has a wire or a disk."""
