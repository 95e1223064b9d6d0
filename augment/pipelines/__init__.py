"""Pipelines of albumentations transforms for training patches. In reading order:

transforms  what albumentations lacks: JPEG compression that is that of a photo
read        a pipeline from a packaged or a user's file, checked
apply       a pipeline applied to a patch

Packaged pipelines: `social-media.yaml` and `camera-phone.yaml`. Importing `read` and `apply` loads albumentations only
when a pipeline is used; import `transforms` from `augment.pipelines.transforms`.
"""

from augment.pipelines.apply import augment_patch, photo_side
from augment.pipelines.read import check_size, pipeline_names, read_pipeline

__all__ = ["augment_patch", "check_size", "photo_side", "pipeline_names", "read_pipeline"]
