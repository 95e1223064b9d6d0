"""Download photos of given cameras, and record their licenses. In reading order:

run       the loop over URLs
url_list  URLs from a CSV file
flickr    URLs from a search on Flickr
licenses  canonical names of licenses
download  one file
http      client, rate limit and retries
record    `collected.csv`, one row per URL
"""
