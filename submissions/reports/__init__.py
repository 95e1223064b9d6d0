"""Pictures of a run. Files in reading order.

figures      draw figures from arrays and tables, and save them as PNG and SVG
inspect_run  collect the predictions and photos of a run, and draw its figures
"""
