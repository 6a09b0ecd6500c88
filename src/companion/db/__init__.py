"""The storage adapter. SQLAlchemy is used here only."""
