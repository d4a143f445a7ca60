# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of the private Xvfb's screen, without any tool."""

import os
import struct
import zlib

HEADER = struct.Struct('>25I')


def read_screen(path):
    """Width, height and rows of RGB bytes of what the screen shows now."""
    with open(path, 'rb') as file:
        data = file.read()
    header = HEADER.unpack_from(data)
    header_bytes, width, height = header[0], header[4], header[5]
    bits, line_bytes, n_colors = header[11], header[12], header[19]
    if bits != 32:
        raise ValueError(f'{bits} bits per pixel')
    start = header_bytes + 12 * n_colors
    rows = []
    for y in range(height):
        line = data[start + y * line_bytes:start + y * line_bytes + 4 * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
        rows.append(bytes(row))
    return width, height, rows


def save_png(path, width, height, rows):
    def chunk(kind, body):
        checksum = zlib.crc32(kind + body)
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', checksum)

    pixels = zlib.compress(b''.join(b'\0' + row for row in rows), 6)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
                   chunk(b'IDAT', pixels) + chunk(b'IEND', b''))


def take_picture(name):
    """Leaves a picture of the screen in the build folder; returns how many colours it has."""
    width, height, rows = read_screen(os.environ['XVFB_SCREEN'])
    path = os.path.join(os.environ['G_TEST_BUILDDIR'], name)
    save_png(path, width, height, rows)
    print(f'picture: {path}')
    return len({row[i:i + 3] for row in rows[::8] for i in range(0, len(row), 24)})
