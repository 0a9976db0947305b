"""Parts of one command, where its own file would become too long."""
