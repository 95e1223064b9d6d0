"""Benchmarks print ratios measured in one run; `benchmarks/README.md` has their results. In reading order:

loaders      training from the patch pipeline against training from memory
prepare      training patches from a prepared folder against two other ways
doctor       the commands `doctor` and `prepare` against other programs, one core against two, and their memory
consistency  the consistency map in closed form against the loop over pairs
full_step    one optimizer step of the preset `full` for each backbone: its time and memory
front_ends   training throughput of the front end `dct` against a network that reads pixels
export       exported networks against Keras: differences, sizes and times on one core
balancing    balancing under quotas against the assignment problem, and when it helps
ratios       the format of a ratio, and the time of a call
"""
