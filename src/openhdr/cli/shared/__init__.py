"""What several commands need: options, output names, what is shown, files one after another, workers."""
