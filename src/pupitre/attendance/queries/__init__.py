"""Reading registers, marks, notices and figures."""
