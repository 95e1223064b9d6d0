"""Utilities that every other module may import. They import nothing of the project but each other.

errors        InputError, the error that a user can fix
find_photos   search for photos in folders
atomic_files  files that are written completely or not at all
free_space    free disk space and memory, checked before slow work
tables        text tables: read CSV as text, write aligned text and Markdown
locks         one process at a time writes an output
progress      progress bars, or lines where there is no terminal
zip_files     unpack archives safely
threads       one thread for OpenCV and BLAS in workers
parallel      parallel map over many files, on processes or on a Dask cluster
"""
