"""Read pairs from a table, or a folder of pictures, that nobody has made for this benchmark."""
