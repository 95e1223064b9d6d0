"""Experiments of Laurence & Murphy (2018) on camera settings, and others. Files in reading order.

laurence_murphy  the experiments: what varies, and the numbers of the paper
run              train the variants of an experiment and write its results
tables           measures, baselines and the summary beside the paper's numbers
plot             plot of the summary
class_balance    when to balance the classes of a submission
"""
