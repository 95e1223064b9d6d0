"""Is each photograph what it claims? Rules, what is learned from a collection, and the run over a folder."""
