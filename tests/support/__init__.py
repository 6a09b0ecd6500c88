"""Support code of the tests: real servers to run against, scripted."""
