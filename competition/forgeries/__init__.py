"""Published data sets of spliced images, and folders of the same kind.

datasets  `open_dataset`: any of them as one list of images with masks
layouts   where each of them keeps its images and masks
"""

from competition.forgeries.datasets import DATA_SETS, Item, open_dataset, read_mask

__all__ = ["DATA_SETS", "Item", "open_dataset", "read_mask"]
