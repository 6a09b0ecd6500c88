"""The model-provider adapter. The openai SDK is used here only."""
