"""The rate-limit adapters: aiolimiter in memory, a script in Redis."""
