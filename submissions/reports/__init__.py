"""Pictures and reports of a run. Files in reading order.

figures           draw figures from arrays and tables, and save them as PNG and SVG
inspect_run       collect the predictions and photos of a run, and draw its figures
explain           evidence maps: which places and frequencies speak for the predicted camera
charts            charts as inline SVG
contents          what a report shows, as plain data
score_sections    sections with tables and charts of scores
picture_sections  sections with photos and evidence maps
report            the report of a run in one HTML file, and its model card
"""
