"""Files that are written whole, believed by their checksum, and read without trust."""
