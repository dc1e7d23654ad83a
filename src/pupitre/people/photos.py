"""Photos of people: decoded, cut square, made small and written anew, so that nothing of the upload survives but pixels."""

import io
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from pupitre.kernel.errors import Refused

#: Pixels of a side: sharp on a register at three times its size, about 20 kB.
SIDE = 320
LARGEST_UPLOAD = 10 * 1024 * 1024
_LARGEST_PIXELS = 50_000_000
# Our own limit refuses; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None
_FORMATS = ("JPEG", "PNG", "WEBP")


class UnfitPhoto(Refused):
    """The file cannot be read as a photo. JPEG, PNG and WebP up to 10 MB are understood."""


def small_photo(file: BinaryIO) -> bytes:
    """A JPEG of SIDE pixels square without any metadata. Raises UnfitPhoto."""
    try:
        with Image.open(file, formats=_FORMATS) as opened:
            if opened.width * opened.height > _LARGEST_PIXELS:
                raise UnfitPhoto
            opened.draft("RGB", (SIDE * 2, SIDE * 2))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            # A face stands in the upper half of a portrait.
            square = ImageOps.fit(upright, (SIDE, SIDE), centering=(0.5, 0.35))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise UnfitPhoto from error
    clean = Image.new("RGB", square.size)
    clean.paste(square)
    written = io.BytesIO()
    clean.save(written, "JPEG", quality=82, optimize=True, progressive=True)
    return written.getvalue()
