"""The development issuer: its key, its roles, its tokens, its two documents on loopback."""
