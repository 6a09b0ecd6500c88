"""Reading attached files: text here, everything else in a process of its own."""
