"""Level 1: photos, their metadata, splits and scores. In reading order:

    archives      unpack a download
    layout        where a data folder has its photos
    manifest      a folder of photos as a table, one row per photo
    manipulation  the manifest's column `manipulation`
    splits        training and validation photos
    folds         folds of photos for cross-validation
    cameras       the ten cameras of the competition
    settings      camera settings as classes
    metadata/     what files say about photos
    metrics/      scores with bootstrap intervals
    forgeries/    published data sets of spliced images
    prepare/      smaller copies of photos for fast training
    collect/      download of photos
    doctor/       checks of a photo collection
    virtual/      simulated cameras, photos and splices
    utils/        errors, search for photos, atomic files, tables, parallel map

Import from the modules, for example `from competition.manifest import read_folder`: the package itself imports nothing,
so that the command line starts instantly.
"""

__version__ = "0.1.0"
