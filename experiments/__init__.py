"""Hydra entry points, one module per command; the only code that knows both Hydra and mitigation."""
