"""Splices: photographs of which a part was taken by another camera. Data sets of them, and scores of finding them."""
