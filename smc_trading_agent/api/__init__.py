"""The HTTP face: it reads views and sends commands; it never touches a stage, and nothing in it can trade."""
