"""Pupitre: an education cloud for a region's schools."""
