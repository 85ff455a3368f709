"""The face store: a pack of images and a table a group."""
