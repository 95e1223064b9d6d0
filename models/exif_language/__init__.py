"""A joint embedding of patches and EXIF text, trained by contrast. In reading order:

    tokenizer     EXIF text as tokens
    pairs         batches of patches and the texts of their photos
    recipe        all settings of a training
    encoders      patches and texts to unit vectors
    loss          the contrastive loss, its gradient, and recall
    dual_encoder  both encoders, and gradients of batches that do not fit into memory
    fit           train both encoders, resumable after every epoch

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023).
"""
