"""Floor 2: what happens to pixels. Decoding, crops, manipulations, dihedral views, the patch pipeline."""
