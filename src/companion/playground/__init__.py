"""A local Discord, and a page to try the app in."""
