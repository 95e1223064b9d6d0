"""Level 5: the command line. `__main__` finds the module of a command, and turns errors that the user can fix into one
line. One module for each command parses its options, calls the lower levels and prints:

    train             train members, predict, score and write a submission; exif_language is its other task
    predict           predict the camera of photos
    submit            write a submission from cached predictions
    leaderboard       compare runs
    shakeup           simulate the change from the public to the private leaderboard
    inspect           draw figures of a run
    report            write the report of a run and its model card
    app               examine photos on a local page
    experiment        repeat published experiments on camera settings
    export            write the networks of a run as files for other programs
    fingerprint       build the fingerprints of devices, and match photos with them
    splice            detect and localize splices
    evaluate_splices  score the detection of splices
    probe             linear probe of embeddings
    virtual           simulate photos
    collect           download photos
    doctor            check photos
    prepare           make smaller copies of photos
    info              describe the environment
    test              run the tests

They share:

    parser         errors in one line, with the name that the user may have meant
    program        the name of the program, for messages
    messages       warnings, and --quiet
    options        types of options
    paths          types of options for runs and outputs
    config_file    options in a file
    completion     completion in a shell
    train_plan     the run that the options of train ask for
    banner         what train prints before it starts
    log_file       log.txt of a run
    robustness          the experiment on altered images
    open_set            the experiment on unknown cameras
    camera_experiments  experiments that train on virtual competitions
    data_folder    the folder of the photos, also from an archive, or a simulated one
    framework      start-up of Keras
    kaggle_client  upload of a submission

These modules import the standard library at import time, and tables of names that need nothing else (`models.members`,
`submissions.experiments.laurence_murphy`). They import everything else inside functions, and the framework after the
options are checked. So `--help` and errors are instant, and need nothing that is installed.
"""
