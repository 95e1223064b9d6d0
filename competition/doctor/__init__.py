"""Check each photo of a collection: is it original, and is it fit for training? In reading order:

    run         a whole folder
    read_file   one photo
    verdicts    the two verdicts on it
    rules       the checks
    duplicates  perceptual hashes
    software    firmware or editing software

Nothing is re-exported: worker processes import `read_file` alone and do not load pandas.
"""
