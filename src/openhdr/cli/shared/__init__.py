"""What several commands need: options, notes, progress, files one after another, workers."""
