"""Many brackets: found on a card, planned, merged by many processes or machines, started again where they stopped.

card       photos of a folder, described by their metadata and grouped
plan       what is to be made of them, as a file that can be edited
"""
