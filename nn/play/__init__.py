"""The playground: a page in which a network learns while the reader watches."""
