"""Exports of a run for programs without this toolkit.

export_run  the members and the ensemble of a run as files, and what a program must know of them
"""
