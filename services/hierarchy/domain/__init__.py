"""What hierarchy knows for itself: values, rules and errors, without a wire or a disk."""
