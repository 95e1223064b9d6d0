"""Benchmarks print ratios measured in one run; `benchmarks/README.md` has their results. In reading order:

loaders      training from the patch pipeline against training from memory
prepare      training patches from a prepared folder against two other ways
doctor       the commands `doctor` and `prepare` against other programs, one core against two, and their memory
consistency  the consistency map in closed form against the loop over pairs
ratios       the format of a ratio
"""
