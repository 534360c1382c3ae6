"""The rules of Weaviate: one a file, each with its page in docs/lint/."""
