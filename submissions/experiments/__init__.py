"""Experiments of Laurence & Murphy (2018) on camera settings, and others. Files in reading order.

laurence_murphy  the experiments: what varies, and the numbers of the paper
run              train the variants of an experiment and write its results
tables           measures, baselines and the summary beside the paper's numbers
plot             plot of the summary
virtual_runs     runs on small virtual competitions
validation       does the out-of-fold score predict the private score?
recipe           what options of training are worth
class_balance    when to balance the classes of a submission
shakeup_reliability  whether simulated chances to keep a lead come true
alterations      what is done to an image after the camera, at several strengths
robustness       accuracy on altered images
robustness_plot  plot of this accuracy
open_set         leave each camera out once: which score tells that it is unknown?
"""
