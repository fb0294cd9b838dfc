"""What a researcher hands in: the report's tables with ours beside them, as one zip.

Importing this brings in no heavy library; making a pack does.
"""

# What the zip is called, and what stands for all finished runs.
NAME, ALL = "deeper-networks-pack.zip", "all"
