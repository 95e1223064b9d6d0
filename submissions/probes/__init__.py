"""Linear probes of frozen embeddings. Files in reading order.

targets       what is predicted: photos with a label each, and how patches are cropped from them
features      features of the patches by each network that is compared
linear_probe  logistic regression on the features, scores and tables
"""
