"""Scores with bootstrap intervals.

bootstrap          resampling and percentile intervals, the only ones in the project
log_loss           log loss of images, and its paired difference
weighted_accuracy  the competition's score
settings           balanced accuracy of camera settings
localization       scores of splice maps and of splice detection
calibration        reliability diagram and expected calibration error
auroc              area under the ROC curve, with bootstrap draws
"""
