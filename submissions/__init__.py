"""Floor 4: what is handed in. Predictions and their cache, blending, balancing, submission files, leaderboards."""
