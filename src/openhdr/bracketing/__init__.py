"""Photos into brackets: which belong together, how they were exposed, how exposures differ in their pixels."""
