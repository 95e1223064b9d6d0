"""Benchmarks print ratios measured in one run; `benchmarks/README.md` has their results. In reading order:

loaders      training from the patch pipeline against training from memory
prepare      training patches from a prepared folder against two other ways
doctor       the commands `doctor` and `prepare` against other programs, one core against two, and their memory
consistency  the consistency map in closed form against the loop over pairs
full_step    one optimizer step of the preset `full` for each backbone: its time and memory
front_ends   training throughput of the front end `dct` against a network that reads pixels
decodes      how often each photo is decoded, by the number of workers
atomic_files the time of an atomic write while a folder grows
kill         commands that are killed at random moments and repeated
fuzz         mutated files for every reader and for commands
mutations    the mutations of files for `fuzz`
fuzz_targets the readers and commands that need no framework for `fuzz`
fuzz_models  the readers of networks for `fuzz`
export       exported networks against Keras: differences, sizes and times on one core
balancing    balancing under quotas against the assignment problem, and when it helps
ratios       the format of a ratio, and the time of a call
"""
