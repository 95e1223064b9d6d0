"""How far a prediction can be trusted. Files in reading order.

temperature     temperature scaling of probabilities
calibration     the temperatures of a run, fitted on its held-out predictions
unknown_scores  scores of "none of these cameras", from hidden features and logits
activations     the features and logits of a run's training and validation images
unknown         the score of a run with its thresholds
"""
