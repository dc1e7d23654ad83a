"""Django's PostgreSQL backend with savepoints that are not prepared. What `DATABASES` names as its engine."""
