"""Level 3: networks and their training. In reading order:

backbones      backbones, their normalization and their ImageNet weights
resnet18       ResNet-18 and SE-ResNet-18, which `keras.applications` lacks
layers         normalization as layers, so that a saved model takes raw pixels
front_ends/    what stands between the pixels and a backbone
recipe         all settings of one training
members        the names that a user can train, and the checks of their recipes
resources      the disk and the memory that trainings need
presets/       recipes by task and name
classifier     a member, from pixels to probabilities
saved          load weights and models
hidden         what a trained classifier computes before its last layer
evidence_maps  which places and which frequencies of an image speak for a class
training/      fit a classifier, resume it, keep its epochs
export/        trained networks as files that run without this toolkit
exif_language/ a joint embedding of patches and EXIF text
"""
