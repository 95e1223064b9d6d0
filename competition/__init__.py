"""Floor 1: what is given and how it is judged. Photographs and their EXIF, cameras, splits, scores, virtual cameras."""
