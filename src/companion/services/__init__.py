"""Use cases. They know ports and domain values, and no framework."""
