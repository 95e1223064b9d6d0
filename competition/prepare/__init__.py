"""Crop the center out of each photo without loss, so that training decodes fewer pixels. In reading order:

    run          a whole folder
    center_crop  one photo

Nothing is re-exported: worker processes import `center_crop` alone and do not load pandas.
"""
