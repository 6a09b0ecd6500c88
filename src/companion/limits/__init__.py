"""The rate-limit adapter, on aiolimiter."""
