"""Photos and videos, in and out."""
