"""Much work by many processes or machines, started again where it stopped: above all the brackets of a card, merged.

card       photos of a folder, described by their metadata and grouped
plan       what is to be made of them, as a file that can be edited
job        one result and the record that says it is done
process    where results are made, one after another
run        much work, on this machine or by the workers of a cluster
storage    folders and buckets
page       a summary and a contact sheet
watch      waiting for photos
"""
