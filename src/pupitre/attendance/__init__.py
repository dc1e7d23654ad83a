"""Registers and marks, absences announced and justified, the office's board, letters and statistics."""
