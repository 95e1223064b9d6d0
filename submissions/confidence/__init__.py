"""How far a prediction can be trusted. Files in reading order.

temperature   temperature scaling of probabilities
calibration   the temperatures of a run, fitted on its held-out predictions
"""
