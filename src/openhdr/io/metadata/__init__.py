"""What files say of their pixels: exposure and camera (EXIF, maker notes), colours (ICC profiles, CICP codes)."""
