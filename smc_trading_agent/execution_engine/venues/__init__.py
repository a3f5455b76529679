"""One adapter a venue; nothing outside the execution engine may call one."""
