"""One repository a table; each returns domain values, never rows."""
