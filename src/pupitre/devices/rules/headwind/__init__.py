"""What Headwind's stock Android agent says and understands: signatures, requests, configuration, push messages, QR code.

Pure. The protocol has no version number; these modules keep to what agents from 5.10 to 6.36 read and send. Its oddities
are named where they are met.
"""
