"""The local app: drop a photo, see what the networks and `doctor` say about it. Files in reading order.

examine      examine one photo
examination  what the app says about it
page         the page, and the answer for a photo as HTML
server       the HTTP server, which keeps nothing
templates    HTML, style and script of the page
"""
