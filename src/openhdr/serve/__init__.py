"""A page on this machine to drop photos on: grouped, merged, looked at, retouched and exported.

app        the routes
guard      who may ask
library    photos received, looked at, grouped
session    and what is made of them: one state, that every open tab shows
pictures   photos, brackets and results, as both hold them
jobs       queues of work, and the processes that do it
worker     what runs in those processes: the only place where photos are decoded
layers     pictures on disk as pyramids of tiles
forms      what the page can ask of merging, tone mapping and files, and the command line that does the same
assets/    the page: HTML, style, and ES modules as the browser runs them

The server holds no pixels. Results lie as arrays in a temporary folder, workers write them, and tiles are cut out of
the files.
"""
