"""Fingerprints of devices: the pattern that one sensor leaves in all of its photos, and whether a photo carries it.

In reading order: noise (the noise residual of a photo), device (the fingerprint of a device, from its photos), match
(how a photo matches a fingerprint), evidence (error rates and likelihood ratios), match_photos (many photos and
fingerprints), pull (test images by one device agree on a camera).
"""
