"""A whole region of invented schools, as large as one likes, to measure and to try things at full size.

`region` plans the schools, `families` their people, `teaching` their classes and weeks, `past` their years of registers,
and `load` writes one school after the other. Equal numbers and an equal seed make equal schools.
"""
