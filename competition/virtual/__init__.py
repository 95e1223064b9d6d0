"""The virtual competition: a physical simulation of ten camera models that makes data in the Kaggle layout.

The way of a photograph: `scenes` (light) → `exposure` (settings) → `optics` (blur) → `sensor` (mosaic and noise) →
`demosaic`, `develop` (the camera's own processing) → `files` (JPEG and EXIF) → `competition` (the folder).
"""
