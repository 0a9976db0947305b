"""The table of contents of openhdr: what becomes of photos, from files to HDR and to an image for a screen.

    merge      bracket_to_hdr     read -> exposures -> align -> compare -> merge
    expand     photo_to_hdr       read -> where it clips -> expand; predicted_stack: a network's exposures, merged
    tonemap    hdr_to_display     read -> tone-map
    write      delivery           tone-map where the file holds an SDR picture beside the light -> write
    scale, options                what 1.0 means; what a user can ask for

Command line, benchmark and documentation call these functions; there is no second route from files to HDR.
"""
