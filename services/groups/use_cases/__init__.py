"""What the register does: read, register, import, preview and resolve. Who may, what must hold."""
