"""Labelling by hand: battles go in, a local page shows one message at a time, and every saved message is a stored line.

`sample` says which battles are labelled, `session` what is shown and stored, `page` how it looks, `server` who may ask for it.
"""
