"""Progress of the training of all members of a run, and the time that is left.

In reading order: work (the stages of a member, weighed by measured times), watch (show the members of other processes).
"""
