"""Demo organisations: fictional tenants over the facts of Rajasthan, the same for the same seed."""
