"""Reading everyone's data for the pages that cross contexts and schools."""
