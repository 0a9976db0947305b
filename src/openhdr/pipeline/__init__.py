"""The table of contents of openhdr: what becomes of photos, from files to HDR and to an image for a screen.

bracket_to_hdr                   merge: read -> exposures -> align -> compare -> merge
network_merger, sensor_merger    ... by a network that takes three frames; of camera RAW before demosaicing
bracket_to_response              calibrate: the first steps of a merge, then the camera's curve
photo_to_hdr                     expand: read -> where it clips -> expand
predicted_stack                  ... by a network that predicts exposures, which are merged
hdr_to_display                   tonemap: read -> tone-map
delivery                         write: tone-map where the file holds an SDR picture beside the light -> write
scale, pipeline_options          what 1.0 means; what a user can ask for

Command line, benchmark and documentation call these functions; there is no second route from files to HDR.
"""
