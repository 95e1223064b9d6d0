"""Scores with bootstrap intervals.

bootstrap          resampling and percentile intervals, the only ones in the project
weighted_accuracy  the competition's score
settings           balanced accuracy of camera settings
localization       scores of splice maps and of splice detection
calibration        reliability diagram and expected calibration error
"""
