"""Comparisons of what has no known truth: brackets of real photos, tone-mapped pictures; their pages and scores."""
