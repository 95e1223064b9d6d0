"""Leaderboards: scores of a run's predictions, and comparisons of runs.

In reading order: evaluation (predictions and truth), camera, ceiling (how well settings can be told at all), settings
(one leaderboard each), ablation (what each step of an ensemble is worth), blends (that are fitted), calibration (of
probabilities, before and after), fingerprints (what links between test images gain), score (one run), compare (all
runs), shakeup (public against private scores).
"""
