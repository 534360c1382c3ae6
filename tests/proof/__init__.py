"""The proof of the run protocol: a model explored exhaustively, and the real core under a scheduler with faults."""
