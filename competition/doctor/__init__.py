"""Check that each photo is an original of the camera that its folder names. In reading order:

    run         a whole folder
    read_file   one photo
    rules       the checks
    duplicates  perceptual hashes
    software    firmware or editing software

Nothing is re-exported: worker processes import `read_file` alone and do not load pandas.
"""
