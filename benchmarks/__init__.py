"""What Companion costs and how fast it is; see docs/performance.md."""
