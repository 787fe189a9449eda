"""The vocabulary that subgraphs share: scalars, ids, texts, pages, audiences, loaders.

A type of two subgraphs is allowed only as the very same definition, and this is where it lives.
"""
