"""Layer 0: containers, errors, tables and boundary checks that everything else stands on."""
