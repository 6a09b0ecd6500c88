"""The Discord door. py-cord is used here only."""
