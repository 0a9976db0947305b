"""The field's datasets, our simulated brackets, and the way from either to training samples.

sample, dataset        one bracket with its truth; a set of them
readers/               one file a folder layout: HdM/NTIRE, Kalantari, Tel, SICE, HDR-Eye, Fairchild, ...
splits                 published lists: which scenes may be trained on, which never
scenes, simulated      HDR scenes -> simulated samples; simulated brackets on disk
shards                 tar files as WebDataset reads them
patches                a dataset -> shards of patches, with resume
cache                  HDR scenes -> shards
brackets, files        frames of a bracket; the small files that datasets carry
challenge              results as the NTIRE challenges exchange them
benchmark              the public benchmark: 24 moving and 8 still brackets
"""
