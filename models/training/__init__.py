"""Training of classifiers, and what other trainings share with it. In reading order:

fit          train a classifier, resumable after every epoch, or within it
options      what a training writes beside its result
features     train a front end on features that are computed once
losses       losses that Keras does not have
checkpoints  the epochs of a training on disk
schedules    learning rates, and weights of the heads, that change during training
tracking     logs of epochs for TensorBoard, Weights & Biases and MLflow
devices      trainings on several devices and machines
backend      the devices, and functions that need TensorFlow
"""
