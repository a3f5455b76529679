"""The sparse types, reasons, errors and ports of the system; nothing here may import another package of it."""
