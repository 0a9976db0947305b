"""What files are built of: boxes, segments, directories and headers that no library reads or writes for us."""
