"""The SQL of custseg_duck: one statement per file, the file's name is the macro's."""
