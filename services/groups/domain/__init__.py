"""What a group is, and the rules that hold with no wire and no disk."""
