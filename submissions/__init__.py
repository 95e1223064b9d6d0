"""Level 4: predictions, blending, balancing, submission files and leaderboards.

In reading order: tasks (what is predicted), run (the run folder), run_config (its config.json), patch_sizes (that fit
the images), environment, train_run (all members), members (train and predict one), predict, prediction_cache, blending,
blend_weights (fitted blends), pseudo_labels (test images that join training), balancing, transport (exact balancing),
submission_csv, submit, predict_photos (your own photos), exif_language (the joint embedding of patches and EXIF).
Sub-packages: progress (of all members), confidence, fingerprints (of devices), exports, leaderboards, reports, splices,
probes, experiments, app (a local page).
"""
