"""custseg_duck in other tools: one module each, which needs the extra of its name."""
