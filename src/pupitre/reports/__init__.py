"""Pages that read everyone's queries: the family's page, the pupil's day, the head's school, the authority's figures. No tables."""
