"""What a person sees: numbers, tables and curves on a terminal or in a notebook, and pictures as SVG."""
