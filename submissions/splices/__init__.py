"""Splices: find the part of a photo that another camera took. Files in reading order.

consistency   grid of patches, consistency map and detection score from their embeddings
localization  heat map from the consistency map: mean shift or normalized cuts
calibration   which differences of embeddings tell photos apart, and the threshold of the score
detector      run the image encoder of an exif-language run on one photo
calibrate     calibrate the detector of a run on its validation photos
overlays      draw heat map, mask and overlay
photos        detect splices in unlabeled photos
baselines     random and high-pass-energy heat maps
evaluate      score heat maps against the masks of a data set
report        tables and example pictures of an evaluation
"""
