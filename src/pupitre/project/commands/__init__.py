"""What the command line does inside the application, one module a subject."""
