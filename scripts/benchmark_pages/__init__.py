"""Parts of scripts/make_benchmark_pages.py: results in, Markdown and SVG out."""
