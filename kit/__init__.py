"""Shared machinery that knows no domain: errors, wires, identity, time, telemetry."""
