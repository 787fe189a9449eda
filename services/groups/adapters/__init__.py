"""Where the ports meet a wire, a disk or an engine."""
