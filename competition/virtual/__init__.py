"""The virtual competition: a physical simulation of ten camera models that makes data in the layout of Kaggle.

In reading order: `cameras` (the ten models) → `capture` (one photo) → `window`, `textures`, `scenes` (light) →
`exposure` (settings) → `optics` (blur) → `sensor` (mosaic and noise) → `demosaic`, `isp` (the camera's own processing)
→ `quantization`, `files` (JPEG and EXIF) → `degradations` → `make_competition` (the folder), `contact_sheet`;
`regions`, `make_splices` (forgeries); `output_folder`.
"""
