"""Containers, errors, tables and boundary checks that everything else stands on."""
