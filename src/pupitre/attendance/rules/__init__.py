"""What counts as present or absent, how registers are merged, and who may do what. Pure."""
