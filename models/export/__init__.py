"""Trained networks as files that run without this toolkit. In reading order:

formats     the formats: how a file is written and read
standalone  the networks to write: a member, and an ensemble with its views and its blend
checked     write a file if its predictions equal those of Keras
"""
