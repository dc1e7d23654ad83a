"""The pages that cross contexts and schools."""
